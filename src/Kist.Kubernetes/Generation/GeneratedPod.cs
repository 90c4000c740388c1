using System.IO.Compression;
using Kist.Host;

namespace Kist.Kubernetes;

/// <summary>What is generated for one workload.</summary>
/// <param name="Workload">The workload.</param>
/// <param name="Containers">Its containers as pinned.</param>
/// <param name="Policy">The agent policy.</param>
/// <param name="InitData">The document that carries it.</param>
public sealed record GeneratedPod(Workload Workload, IReadOnlyList<PinnedContainer> Containers, string Policy, InitDataDocument InitData)
{
    /// <summary>The annotation of Kata Containers by which a pod brings its init-data.</summary>
    public const string InitDataAnnotation = "io.katacontainers.config.hypervisor.cc_init_data";

    /// <summary>Kubernetes takes at most this many bytes of annotations for an object.</summary>
    public const int MaxAnnotationBytes = 256 << 10;

    /// <summary>The annotation's value: base64 of gzip of the document.</summary>
    public string Annotation
    {
        get
        {
            using var compressed = new MemoryStream();
            using (var gzip = new GZipStream(compressed, CompressionLevel.SmallestSize, leaveOpen: true))
                gzip.Write(InitData.Bytes.Span);
            return Convert.ToBase64String(compressed.GetBuffer(), 0, (int)compressed.Length);
        }
    }
}
