using Kist.Enclaves.Images;
using Kist.Enclaves.Sgx;
using Kist.Formats;

namespace Kist.Enclaves.Manifests;

/// <summary>
/// The enclave of an application: the enclave host's program and the manifest, laid out as pages. Both are measured, so
/// MRENCLAVE says which host runs which application with which files.
/// <code>
/// page 0                  TCS: one SSA frame behind the last page, entry at page 1
/// pages 1 … n             the host's program, r-x, the last page filled with zeros
/// pages n+1 … m           the manifest, r--, the last page filled with zeros
/// page m+1                SSA, rw-
/// </code>
/// </summary>
public static class ApplicationEnclave
{
    /// <summary>Most bytes of the host's program.</summary>
    public const int MaxHostBytes = 256 << 20;

    private const ulong PageSize = EnclaveImage.PageSize;

    /// <summary>Lays the enclave out.</summary>
    /// <param name="hostProgram">The enclave host's program file.</param>
    /// <param name="manifest">The manifest's canonical bytes.</param>
    public static EnclaveImage Create(ReadOnlyMemory<byte> hostProgram, ReadOnlyMemory<byte> manifest)
    {
        if (hostProgram.Length is 0 or > MaxHostBytes)
            throw new MalformedDataException("enclave host", -1, $"{hostProgram.Length} bytes, not between 1 and {MaxHostBytes}");
        if (manifest.Length is 0 or > EnclaveManifest.MaxBytes)
            throw new MalformedDataException("enclave manifest", -1, $"{manifest.Length} bytes, not between 1 and {EnclaveManifest.MaxBytes}");
        var hostPages = Pages(hostProgram.Length);
        var manifestPages = Pages(manifest.Length);
        var ssa = (1 + hostPages + manifestPages) * PageSize;
        var size = Math.Max(8192UL, System.Numerics.BitOperations.RoundUpToPowerOf2(ssa + PageSize));
        return new EnclaveImage(size, 1, Layout(hostProgram, manifest, hostPages, ssa));
    }

    private static IEnumerable<EnclavePage> Layout(ReadOnlyMemory<byte> host, ReadOnlyMemory<byte> manifest, ulong hostPages, ulong ssa)
    {
        var tcs = new Tcs { SsaOffset = ssa, SsaFrameCount = 1, EntryOffset = PageSize, FsLimit = 0xfff, GsLimit = 0xfff };
        yield return new EnclavePage(0, SecInfo.TcsPage, tcs.Memory, true);
        foreach (var page in Contents(host, PageSize, SecInfo.ReadExecutePage))
            yield return page;
        foreach (var page in Contents(manifest, (1 + hostPages) * PageSize, SecInfo.ReadOnlyPage))
            yield return page;
        yield return new EnclavePage(ssa, SecInfo.ReadWritePage, default, true);
    }

    private static IEnumerable<EnclavePage> Contents(ReadOnlyMemory<byte> content, ulong offset, ulong flags)
    {
        for (var at = 0; at < content.Length; at += (int)PageSize)
        {
            var chunk = content.Slice(at, Math.Min((int)PageSize, content.Length - at));
            if (chunk.Length < (int)PageSize)
            {
                var padded = new byte[PageSize];
                chunk.CopyTo(padded);
                chunk = padded;
            }

            yield return new EnclavePage(offset + (ulong)at, flags, chunk, true);
        }
    }

    private static ulong Pages(int length) => ((ulong)length + PageSize - 1) / PageSize;
}
