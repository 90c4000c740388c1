using Kist.Attestation.X509;

namespace Kist.Attestation.Dcap;

/// <summary>How long a judgement holds: the time around it in which no validity begins or ends.</summary>
internal static class ValidityWindow
{
    /// <summary>
    /// The window around <paramref name="time"/> and the collateral that was used; no collateral if the judgement must not be
    /// remembered.
    /// </summary>
    public static (DateTimeOffset From, DateTimeOffset Until, DcapCollateralKey Key, DcapCollateral? Collateral) Of(
        DcapQuote quote, VerificationOptions options, DateTimeOffset time)
    {
        if (quote.CertificationDataType != CertificationDataType.PckChain)
            return (time, time, default, null);
        var path = CertificatePath.Build(PemReader.ReadCertificates(quote.CertificationData));
        var pck = PckCertificate.Parse(path.Leaf);
        var key = new DcapCollateralKey(pck.FmspcText, pck.Ca, quote.IsTdx ? "tdx" : "sgx");
        if (options.Collateral.FindDcap(key) is not { } collateral)
            return (time, time, default, null);
        var (from, until) = Around(time, Limits(path, collateral.Parsed, options.Tcb));
        return (from, until, key, collateral);
    }

    /// <summary>Every point in time at which some check's outcome may change.</summary>
    private static IEnumerable<DateTimeOffset> Limits(CertificatePath path, ParsedCollateral collateral, TcbPolicy policy)
    {
        foreach (var chain in new[] { path, collateral.TcbInfoChain.Value, collateral.QeIdentityChain.Value }.OfType<CertificatePath>())
        {
            foreach (var certificate in chain.Certificates)
            {
                yield return certificate.NotBefore;
                yield return certificate.NotAfter;
            }
        }

        foreach (var crl in collateral.Crls)
        {
            yield return crl.ThisUpdate;
            yield return crl.NextUpdate ?? crl.ThisUpdate;
        }

        if (collateral.QeIdentity.Value is { } identity)
        {
            yield return identity.IssueDate;
            yield return identity.NextUpdate;
            foreach (var level in identity.Levels)
                yield return (level.Date ?? identity.IssueDate) + policy.GracePeriod;
        }

        if (collateral.TcbInfo.Value is not { } info)
            yield break;
        yield return info.IssueDate;
        yield return info.NextUpdate;
        foreach (var date in info.Levels.Select(l => l.Date).Concat(info.TdxModuleIdentities.SelectMany(m => m.Levels).Select(l => l.Date)))
            yield return (date ?? info.IssueDate) + policy.GracePeriod;
    }

    private static (DateTimeOffset From, DateTimeOffset Until) Around(DateTimeOffset time, IEnumerable<DateTimeOffset> limits)
    {
        var from = DateTimeOffset.MinValue;
        var until = DateTimeOffset.MaxValue;
        foreach (var limit in limits)
        {
            if (limit <= time && limit > from)
                from = limit;
            if (limit >= time && limit < until)
                until = limit;
        }

        // Limits belong to the validity that they end: outcomes change just after an end, and at a beginning.
        return (from < time ? from.AddTicks(1) : time, until);
    }
}
