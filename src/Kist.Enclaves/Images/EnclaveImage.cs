using Kist.Enclaves.Sgx;
using Kist.Measurement.Sgx;

namespace Kist.Enclaves.Images;

/// <summary>
/// An enclave before it is loaded: its pages in the order in which they are added, which is part of the measurement.
/// </summary>
/// <param name="enclaveSize">SECS.SIZE in bytes.</param>
/// <param name="ssaFrameSize">SECS.SSAFRAMESIZE in pages.</param>
/// <param name="pages">The pages. Enumerated anew for each use.</param>
public sealed class EnclaveImage(ulong enclaveSize, uint ssaFrameSize, IEnumerable<EnclavePage> pages)
{
    /// <summary>Bytes of a page.</summary>
    public const int PageSize = EnclaveMeasurer.PageSize;

    /// <summary>Largest enclave that is read, in bytes: 64 GiB, the limit of the Intel SDK.</summary>
    public const ulong MaxEnclaveSize = 64UL << 30;

    private static readonly byte[] s_zeros = new byte[PageSize];

    /// <summary>SECS.SIZE in bytes.</summary>
    public ulong EnclaveSize { get; } = enclaveSize;

    /// <summary>SECS.SSAFRAMESIZE in pages.</summary>
    public uint SsaFrameSize { get; } = ssaFrameSize;

    /// <summary>The pages in the order in which they are added.</summary>
    public IEnumerable<EnclavePage> Pages { get; } = pages;

    /// <summary>A page's bytes, also where the page is one of zeros.</summary>
    public static ReadOnlySpan<byte> ContentOf(in EnclavePage page) => page.Content.IsEmpty ? s_zeros : page.Content.Span;

    /// <summary>MRENCLAVE as the processor would find it: 32 bytes.</summary>
    public byte[] Measure()
    {
        using var measurer = EnclaveMeasurer.Create(EnclaveSize, SsaFrameSize);
        foreach (var page in Pages)
        {
            if (page.IsMeasured)
                measurer.AddMeasuredPage(page.Offset, page.SecInfoFlags, ContentOf(page));
            else
                measurer.AddPage(page.Offset, page.SecInfoFlags);
        }

        return measurer.MrEnclave();
    }

    /// <summary>The control page with which a loader creates this enclave.</summary>
    public Secs ToSecs(SgxAttributes attributes, uint miscSelect = 0) => new()
    {
        EnclaveSize = EnclaveSize,
        SsaFrameSize = SsaFrameSize,
        Attributes = attributes,
        MiscSelect = miscSelect,
    };
}
