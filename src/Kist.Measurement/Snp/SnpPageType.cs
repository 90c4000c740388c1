namespace Kist.Measurement.Snp;

/// <summary>Kinds of pages in SNP_LAUNCH_UPDATE (SNP ABI, table 67).</summary>
public enum SnpPageType : byte
{
    /// <summary>Content is measured.</summary>
    Normal = 1,

    /// <summary>A processor's save area; measured like a normal page, at a fixed address.</summary>
    Vmsa = 2,

    /// <summary>All zeros; address only.</summary>
    Zero = 3,

    /// <summary>Content is not measured; address only.</summary>
    Unmeasured = 4,

    /// <summary>The secrets page; address only.</summary>
    Secrets = 5,

    /// <summary>The CPUID page; address only.</summary>
    Cpuid = 6,
}
