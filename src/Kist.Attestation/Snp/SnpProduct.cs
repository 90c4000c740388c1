namespace Kist.Attestation.Snp;

/// <summary>A product line of AMD EPYC: it decides the root key, the layout of TCB_VERSION and the length of the hardware id.</summary>
public enum SnpProduct
{
    /// <summary>Not known.</summary>
    Unknown,

    /// <summary>Family 19h, models 00h–0Fh.</summary>
    Milan,

    /// <summary>Family 19h, models 10h–1Fh and A0h–AFh (Genoa, Bergamo, Siena).</summary>
    Genoa,

    /// <summary>Family 1Ah, models 00h–11h.</summary>
    Turin,
}

/// <summary>What depends on the product line.</summary>
public static class SnpProducts
{
    /// <summary>The product line of a CPU by its combined family and model (CPUID Fn0000_0001_EAX).</summary>
    public static SnpProduct FromCpuid(byte family, byte model) => (family, model) switch
    {
        (0x19, <= 0x0F) => SnpProduct.Milan,
        (0x19, >= 0x10 and <= 0x1F) or (0x19, >= 0xA0 and <= 0xAF) => SnpProduct.Genoa,
        (0x1A, <= 0x11) => SnpProduct.Turin,
        _ => SnpProduct.Unknown,
    };

    /// <summary>The product line that a name such as "Milan-B0" or "Genoa" begins with.</summary>
    public static SnpProduct FromName(string name) => name.Split('-')[0] switch
    {
        "Milan" => SnpProduct.Milan,
        "Genoa" or "Bergamo" or "Siena" => SnpProduct.Genoa,
        "Turin" => SnpProduct.Turin,
        _ => SnpProduct.Unknown,
    };

    /// <summary>How many bytes of CHIP_ID identify the chip; the rest is zero (AMD 57230 section 3.1).</summary>
    public static int HardwareIdSize(this SnpProduct product) => product == SnpProduct.Turin ? 8 : 64;
}
