using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Dcap;

/// <summary>How long a judgement holds: the time around it in which no validity begins or ends.</summary>
internal static class ValidityWindow
{
    /// <summary>The window around <paramref name="time"/>; only that instant if anything cannot be read.</summary>
    public static (DateTimeOffset From, DateTimeOffset Until) Of(DcapQuote quote, VerificationOptions options, DateTimeOffset time)
    {
        try
        {
            if (quote.CertificationDataType != CertificationDataType.PckChain)
                return (time, time);
            var path = CertificatePath.Build(PemReader.ReadCertificates(quote.CertificationData));
            var pck = PckCertificate.Parse(path.Leaf);
            var tee = quote.IsTdx ? "tdx" : "sgx";
            if (options.Collateral.FindDcap(new DcapCollateralKey(pck.FmspcText, pck.Ca, tee))?.Parsed is not { } collateral)
                return (time, time);
            return Around(time, Limits(path, collateral, options.Tcb));
        }
        catch (MalformedDataException)
        {
            return (time, time);
        }
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
