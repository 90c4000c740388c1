namespace Kist.Measurement.Nitro;

/// <summary>What a section of an enclave image file holds.</summary>
public enum EifSectionType : ushort
{
    /// <summary>The kernel.</summary>
    Kernel = 1,

    /// <summary>The kernel's command line.</summary>
    CommandLine = 2,

    /// <summary>A ramdisk; the first is Amazon's, further ones are the customer's.</summary>
    Ramdisk = 3,

    /// <summary>Signatures over PCR0.</summary>
    Signature = 4,

    /// <summary>JSON about the build.</summary>
    Metadata = 5,
}

/// <summary>One section of an enclave image file.</summary>
/// <param name="Type">What it holds.</param>
/// <param name="Offset">Where its header starts in the file.</param>
/// <param name="Data">Its content.</param>
public sealed record EifSection(EifSectionType Type, int Offset, ReadOnlyMemory<byte> Data);
