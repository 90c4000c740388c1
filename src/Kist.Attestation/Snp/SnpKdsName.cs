namespace Kist.Attestation.Snp;

/// <summary>Names of VCEK certificates as in the paths of AMD's key server (AMD 57230 section 4.1).</summary>
internal static class SnpKdsName
{
    /// <summary>
    /// "Milan/HWID?blSPL=03&amp;teeSPL=00&amp;snpSPL=08&amp;ucodeSPL=115"; Turin's begins with fmcSPL and has an 8-byte HWID.
    /// Null where the product is not known or the host masks the chip's identity.
    /// </summary>
    public static string? Vcek(SnpReport report, SnpProduct product)
    {
        if (product == SnpProduct.Unknown || report.ChipId.Span.IndexOfAnyExcept((byte)0) < 0)
            return null;
        return Vcek(product, report.ChipId.Span[..product.HardwareIdSize()], report.ReportedTcb(product));
    }

    /// <summary>
    /// The names under which a report's certificate may be: one where the report says its product. Reports of version 2 do not:
    /// they are of Milan or Genoa, whose names differ in the product only.
    /// </summary>
    public static IEnumerable<string> VcekCandidates(SnpReport report)
    {
        SnpProduct[] products = report.Product != SnpProduct.Unknown ? [report.Product] : report.Version < 3 ? [SnpProduct.Milan, SnpProduct.Genoa] : [];
        return products.Select(p => Vcek(report, p)).OfType<string>();
    }

    /// <summary>The name of a certificate by what stands in it; null for a VLEK.</summary>
    public static string? Vcek(SnpCertificateExtensions extensions) => extensions is { HardwareId: { } chip, Product: not SnpProduct.Unknown }
        ? Vcek(extensions.Product, chip.Span, extensions.Tcb) : null;

    private static string Vcek(SnpProduct product, ReadOnlySpan<byte> hardwareId, SnpTcbVersion tcb)
    {
        var chip = Convert.ToHexStringLower(hardwareId);
        var fmc = tcb.Fmc is { } value ? $"fmcSPL={value:D2}&" : "";
        return $"{product}/{chip}?{fmc}blSPL={tcb.Bootloader:D2}&teeSPL={tcb.Tee:D2}&snpSPL={tcb.Snp:D2}&ucodeSPL={tcb.Microcode:D2}";
    }
}
