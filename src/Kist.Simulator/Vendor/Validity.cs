namespace Kist.Simulator.Vendor;

/// <summary>From when to when a certificate is valid.</summary>
readonly record struct Validity(DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    /// <summary>Root and authorities.</summary>
    public static Validity OfAuthorities { get; } = Years(2024, 2049);

    /// <summary>PCK and TCB signing certificates.</summary>
    public static Validity OfLeaves { get; } = Years(2024, 2044);

    private static Validity Years(int first, int last) =>
        new(new DateTimeOffset(first, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(last, 12, 31, 23, 59, 59, TimeSpan.Zero));
}
