using System.Globalization;
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
    /// <summary>Ports of the pod's programs that the host may connect to.</summary>
    public IReadOnlyList<int> Ports { get; init; } = [];

    /// <summary>The annotation of Kata Containers by which a pod brings its init-data.</summary>
    public const string InitDataAnnotation = "io.katacontainers.config.hypervisor.cc_init_data";

    /// <summary>The memory of the pod's machine in MiB, which is measured.</summary>
    public const string MemoryAnnotation = "io.katacontainers.config.hypervisor.default_memory";

    /// <summary>The processors of the pod's machine, which are measured.</summary>
    public const string ProcessorsAnnotation = "io.katacontainers.config.hypervisor.default_vcpus";

    /// <summary>The pod's emptyDir volumes that get an encrypted disk: "NAME=BYTES,…" (Kist.Host ScratchDiskNames).</summary>
    public const string ScratchAnnotation = ScratchDiskNames.Annotation;

    /// <summary>Kubernetes takes at most this many bytes of annotations for an object.</summary>
    public const int MaxAnnotationBytes = 256 << 10;

    /// <summary>What the pod's machine must be like, in annotations.</summary>
    /// <param name="memoryMebibytes">Its memory.</param>
    /// <param name="cpus">Its processors.</param>
    public IReadOnlyDictionary<string, string> Annotations(int memoryMebibytes, int cpus)
    {
        var annotations = new Dictionary<string, string>
        {
            [InitDataAnnotation] = Annotation,
            [MemoryAnnotation] = memoryMebibytes.ToString(CultureInfo.InvariantCulture),
            [ProcessorsAnnotation] = cpus.ToString(CultureInfo.InvariantCulture),
        };
        var scratch = Containers.SelectMany(c => c.Volumes).Select(v => v.Volume)
            .Where(v => v.Kind == "scratch" && v.SizeBytes >= RunVolume.SmallestDiskBytes).Select(v => (v.Name, (long)v.SizeBytes)).Distinct().ToList();
        if (scratch.Count > 0)
            annotations[ScratchAnnotation] = ScratchDiskNames.Write(scratch);
        if (Ports.Count > 0)
            annotations[PodPortNames.Annotation] = PodPortNames.Write(Ports);
        return annotations;
    }

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
