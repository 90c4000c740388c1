using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Attestation.X509;

/// <summary>
/// Certificates that were read before, by the SHA-256 of their exact bytes: one machine's evidence brings the same ones each
/// time, and what was verified about them stays verified. Bounded; safe for concurrent use. Validity in time, revocation and
/// anchors are never kept: they are judged anew each time.
/// </summary>
internal static class CertificateCache
{
    /// <summary>The most bundles that are kept; when they are reached, all are forgotten.</summary>
    public const int EntryLimit = 1024;

    /// <summary>Larger bundles are read each time, so that the cache holds no more than 16 MiB of input.</summary>
    public const int BundleLimit = 16 * 1024;

    private static readonly ConcurrentDictionary<Key, IReadOnlyList<Certificate>> Bundles = new();

    /// <summary>Reads certificates in PEM, or DER one after another.</summary>
    /// <exception cref="MalformedDataException">There is none, or one does not follow its format.</exception>
    public static IReadOnlyList<Certificate> Read(ReadOnlyMemory<byte> bundle)
    {
        if (bundle.Length > BundleLimit)
            return PemReader.ReadCertificates(bundle);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bundle.Span, hash);
        var key = MemoryMarshal.Read<Key>(hash);
        if (Bundles.TryGetValue(key, out var known))
            return known;
        // A copy: the caller may reuse its buffer.
        var certificates = PemReader.ReadCertificates(bundle.ToArray());
        if (Bundles.Count >= EntryLimit)
            Bundles.Clear();
        Bundles[key] = certificates;
        return certificates;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Key(ulong A, ulong B, ulong C, ulong D);
}
