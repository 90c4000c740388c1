using System.Security.Cryptography;
using System.Text.Json;
using Kist.Attestation.X509;

namespace Kist.Attestation.Dcap;

/// <summary>
/// What the collateral says about the platform, in the names that Trustee gives to the supplemental data of Intel's
/// verification library. Null members are left out: the fact could not be established.
/// </summary>
public sealed record DcapClaims
{
    /// <summary>Status of the whole platform in Intel's words.</summary>
    public string? TcbStatus { get; init; }

    /// <summary>Date of the TCB level that the platform reaches.</summary>
    public DateTimeOffset? TcbDate { get; init; }

    /// <summary>Advisories that apply.</summary>
    public IReadOnlyList<string> AdvisoryIds { get; init; } = [];

    /// <summary>True if some collateral was not in force at the time of judgement; null if there was none.</summary>
    public bool? IsCollateralExpired { get; init; }

    /// <summary>tcbEvaluationDataNumber of the TCB info.</summary>
    public int? EvaluationDataNumber { get; init; }

    internal PckCertificate? Pck { get; init; }

    internal ParsedCollateral? Collateral { get; init; }

    internal Certificate? Root { get; init; }

    internal static DcapClaims From(DcapVerification verification, VerificationOptions options)
    {
        var validity = Validity(verification.Collateral, verification.PckPath);
        return new DcapClaims
        {
            TcbStatus = verification.Tcb?.Status.ToString(),
            TcbDate = verification.Tcb?.Date,
            AdvisoryIds = verification.Tcb?.Advisories ?? [],
            IsCollateralExpired = verification.Collateral is null ? null : validity.Any(v => options.Time > v.Until),
            EvaluationDataNumber = verification.Collateral?.TcbInfo.Value?.EvaluationDataNumber,
            Pck = verification.Pck,
            Collateral = verification.Collateral,
            Root = verification.PckPath?.Last,
        };
    }

    /// <summary>Writes the quote's header as "header", in the names that Trustee's verifiers give each TEE's.</summary>
    internal static void WriteHeader(Utf8JsonWriter writer, DcapQuote quote)
    {
        var header = quote.Header.Span;
        writer.WriteStartObject("header");
        writer.WriteHex("version", header[..2]);
        writer.WriteHex("att_key_type", header[2..4]);
        writer.WriteHex(quote.IsTdx ? "tee_type" : "att_key_data_0", header[4..8]);
        if (quote.IsTdx)
        {
            writer.WriteHex("reserved", header[8..12]);
        }
        else
        {
            writer.WriteHex("qe_svn", header[8..10]);
            writer.WriteHex("pce_svn", header[10..12]);
        }

        writer.WriteHex("vendor_id", header[12..28]);
        writer.WriteHex("user_data", header[28..48]);
        writer.WriteEndObject();
    }

    /// <summary>Writes the members into an object that is open.</summary>
    internal void WriteMembers(Utf8JsonWriter writer)
    {
        if (Collateral is { } collateral)
            WriteCollateral(writer, collateral);
        if (Pck is { } pck)
            WritePlatform(writer, pck);
    }

    private void WriteCollateral(Utf8JsonWriter writer, ParsedCollateral collateral)
    {
        if (TcbStatus is not null)
            writer.WriteString("tcb_status", TcbStatus);
        if (TcbDate is { } date)
            writer.WriteString("tcb_date", Timestamp.Format(date));
        writer.WriteStartArray("advisory_ids");
        foreach (var advisory in AdvisoryIds)
            writer.WriteStringValue(advisory);
        writer.WriteEndArray();
        writer.WriteString("collateral_expiration_status", IsCollateralExpired == false ? "0" : "1");
        var validity = Validity(collateral, Root is null ? null : new CertificatePath([Root], false));
        if (validity.Count > 0)
        {
            writer.WriteString("earliest_issue_date", Timestamp.Format(validity.Min(v => v.From)));
            writer.WriteString("latest_issue_date", Timestamp.Format(validity.Max(v => v.From)));
            writer.WriteString("earliest_expiration_date", Timestamp.Format(validity.Min(v => v.Until)));
        }

        if (collateral.PckCrl.Value?.Number is { } pckNumber)
            writer.WriteNumber("pck_crl_num", pckNumber);
        if (collateral.RootCaCrl.Value?.Number is { } rootNumber)
            writer.WriteNumber("root_ca_crl_num", rootNumber);
        if (EvaluationDataNumber is { } number)
            writer.WriteNumber("tcb_eval_num", number);
    }

    private void WritePlatform(Utf8JsonWriter writer, PckCertificate pck)
    {
        writer.WriteString("fmspc", pck.FmspcText);
        writer.WriteString("platform_provider_id", Convert.ToHexStringLower(pck.Ppid.Span));
        if (Root is not null)
            writer.WriteString("root_key_id", RootKeyId(Root));
        writer.WriteString("sgx_type", pck.SgxType switch
        {
            0 => "Standard",
            1 => "Scalable",
            2 => "Scalable with Integrity",
            var other => $"{other}",
        });
        if (!pck.PlatformInstanceId.IsEmpty)
            writer.WriteString("platform_instance_id", Convert.ToHexStringLower(Reverse(pck.PlatformInstanceId.Span)));
        if (pck.IsDynamicPlatform is { } dynamic)
            writer.WriteBoolean("is_dynamic_platform", dynamic);
        if (pck.HasCachedKeys is { } cached)
            writer.WriteBoolean("is_cached_keys", cached);
        if (pck.IsSmtEnabled is { } smt)
            writer.WriteBoolean("is_smt_enabled", smt);
    }

    /// <summary>Trustee shows this identity, and no other, with its least significant byte first.</summary>
    private static byte[] Reverse(ReadOnlySpan<byte> value)
    {
        var copy = value.ToArray();
        Array.Reverse(copy);
        return copy;
    }

    /// <summary>SHA-384 of the root's uncompressed public point, 04 and coordinates, as Intel's library computes it.</summary>
    private static string RootKeyId(Certificate root)
    {
        var spki = root.SubjectPublicKeyInfo.Span;
        return Convert.ToHexStringLower(SHA384.HashData(spki.Length > 65 ? spki[^65..] : spki));
    }

    private static List<(DateTimeOffset From, DateTimeOffset Until)> Validity(ParsedCollateral? collateral, CertificatePath? path)
    {
        var list = new List<(DateTimeOffset From, DateTimeOffset Until)>();
        if (collateral is null)
            return list;
        foreach (var chain in new[] { path, collateral.TcbInfoChain.Value, collateral.QeIdentityChain.Value }.OfType<CertificatePath>())
            list.AddRange(chain.Certificates.Select(c => (c.NotBefore, c.NotAfter)));
        if (collateral.TcbInfo.Value is { } info)
            list.Add((info.IssueDate, info.NextUpdate));
        if (collateral.QeIdentity.Value is { } identity)
            list.Add((identity.IssueDate, identity.NextUpdate));
        list.AddRange(collateral.Crls.Select(c => (c.ThisUpdate, c.NextUpdate ?? DateTimeOffset.MaxValue)));
        return list;
    }
}
