using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Kist.Rego.Builtins;

/// <summary>crypto.x509.* and crypto.parse_private_keys.</summary>
static class X509Builtins
{
    private const int MaxCertificates = 100;

    public static void Register(Registry table)
    {
        table.Add("crypto.x509.parse_certificates", 1, ParseCertificates);
        table.Add("crypto.x509.parse_and_verify_certificates", 1, (c, a) => c.String(a, 0, out var s) ? Verify(c, s, RegoObject.Empty) : null);
        table.Add("crypto.x509.parse_and_verify_certificates_with_options", 2, (c, a) =>
            c.String(a, 0, out var s) && c.Object(a, 1, out var options) ? Verify(c, s, options) : null);
        table.Add("crypto.x509.parse_certificate_request", 1, ParseRequest);
        table.Add("crypto.x509.parse_keypair", 2, ParseKeyPair);
        table.Add("crypto.x509.parse_rsa_private_key", 1, (c, a) => c.String(a, 0, out var s) ? PrivateKeys.RsaJwk(s) : null);
        table.Add("crypto.parse_private_keys", 1, (c, a) => c.String(a, 0, out var s) ? PrivateKeys.All(s) : null);
    }

    private static RegoArray? ParseCertificates(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var text))
            return null;
        var certificates = Read(text);
        try
        {
            return RegoArray.Of(certificates.Select(x => (RegoValue)CertificateValue.Of(x)).ToArray());
        }
        finally
        {
            certificates.ForEach(x => x.Dispose());
        }
    }

    /// <summary>Certificates from PEM, or from base64 of PEM or of DER one after another.</summary>
    private static List<X509Certificate2> Read(string text)
    {
        var pem = text.Contains("-----BEGIN", StringComparison.Ordinal) ? text : null;
        byte[] bytes = [];
        if (pem is null)
        {
            bytes = EncodingBuiltins.FromBase64(text);
            if (bytes.AsSpan().IndexOf("-----BEGIN"u8) >= 0)
                pem = EncodingBuiltins.Utf8(bytes);
        }

        var certificates = new List<X509Certificate2>();
        var rest = pem is null ? default : pem.AsSpan();
        while (pem is not null && certificates.Count < MaxCertificates && PemEncoding.TryFind(rest, out var fields))
        {
            if (!rest[fields.Label].SequenceEqual("CERTIFICATE"))
                throw new FormatException($"PEM-encoded certificates must be of type CERTIFICATE, got {rest[fields.Label]}");
            certificates.Add(X509CertificateLoader.LoadCertificate(Convert.FromBase64String(rest[fields.Base64Data].ToString())));
            rest = rest[fields.Location.End..];
        }

        for (var offset = 0; pem is null && offset < bytes.Length && certificates.Count < MaxCertificates;)
        {
            System.Formats.Asn1.AsnDecoder.ReadEncodedValue(bytes.AsSpan(offset), System.Formats.Asn1.AsnEncodingRules.DER, out _, out _, out var length);
            certificates.Add(X509CertificateLoader.LoadCertificate(bytes.AsSpan(offset, length)));
            offset += length;
        }

        return certificates;
    }

    /// <summary>
    /// <c>[valid, chain]</c>: the first certificate is the root, the last the leaf, between them are intermediates. The chain
    /// that is given back begins with the leaf.
    /// </summary>
    private static RegoArray Verify(BuiltinContext c, string text, RegoObject options)
    {
        var invalid = RegoArray.Of([RegoValue.False, RegoArray.Empty]);
        List<X509Certificate2> certificates;
        try
        {
            certificates = Read(text);
        }
        catch (Exception e) when (e is FormatException or CryptographicException or System.Formats.Asn1.AsnContentException)
        {
            return invalid;
        }

        try
        {
            if (certificates.Count < 2)
                return invalid;
            using var chain = new X509Chain();
            Configure(c, chain, certificates, options);
            if (!chain.Build(certificates[^1]) || !MatchesName(certificates[^1], options))
                return invalid;
            return RegoArray.Of([RegoValue.True, RegoArray.Of(chain.ChainElements.Select(e => (RegoValue)CertificateValue.Of(e.Certificate)).ToArray())]);
        }
        finally
        {
            certificates.ForEach(x => x.Dispose());
        }
    }

    private static void Configure(BuiltinContext c, X509Chain chain, List<X509Certificate2> certificates, RegoObject options)
    {
        var policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;
        policy.CustomTrustStore.Add(certificates[0]);
        foreach (var intermediate in certificates.Skip(1).SkipLast(1))
            policy.ExtraStore.Add(intermediate);
        var now = options["CurrentTime"] is RegoNumber n && n.TryGetInt64(out var given) ? given : c.NowNanoseconds;
        policy.VerificationTime = DateTime.UnixEpoch.AddTicks(now / 100).ToLocalTime();
        foreach (var (_, usage) in Evaluation.Items.Of(options["KeyUsages"] as RegoArray))
        {
            if (usage is RegoString { Value: var name } && Usage(name) is { } oid)
                policy.ApplicationPolicy.Add(new Oid(oid));
        }
    }

    private static string? Usage(string name) => name switch
    {
        "KeyUsageServerAuth" => "1.3.6.1.5.5.7.3.1",
        "KeyUsageClientAuth" => "1.3.6.1.5.5.7.3.2",
        "KeyUsageCodeSigning" => "1.3.6.1.5.5.7.3.3",
        "KeyUsageEmailProtection" => "1.3.6.1.5.5.7.3.4",
        "KeyUsageTimeStamping" => "1.3.6.1.5.5.7.3.8",
        "KeyUsageOCSPSigning" => "1.3.6.1.5.5.7.3.9",
        "KeyUsageAny" => null,
        _ => throw new FormatException($"invalid Extended Key Usages string '{name}' found"),
    };

    private static bool MatchesName(X509Certificate2 leaf, RegoObject options) =>
        options["DNSName"] is not RegoString { Value: { Length: > 0 } name } || leaf.MatchesHostname(name, allowWildcards: true, allowCommonName: false);

    private static RegoValue? ParseRequest(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var text))
            return null;
        var pem = text.Contains("-----BEGIN", StringComparison.Ordinal) ? text : EncodingBuiltins.Utf8(EncodingBuiltins.FromBase64(text));
        var request = pem.Contains("-----BEGIN", StringComparison.Ordinal)
            ? CertificateRequest.LoadSigningRequestPem(pem, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions, RSASignaturePadding.Pkcs1)
            : CertificateRequest.LoadSigningRequest(EncodingBuiltins.FromBase64(text), HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions, RSASignaturePadding.Pkcs1);
        var names = request.CertificateExtensions.FirstOrDefault(e => e.Oid?.Value == "2.5.29.17") is { } san
            ? SubjectAlternativeNames.Read(san.RawData)
            : (Dns: RegoValue.Null, Email: RegoValue.Null, Addresses: RegoValue.Null, Uris: RegoValue.Null);
        return RegoValue.ObjectOf(
            ("Subject", DistinguishedName.Of(request.SubjectName)),
            ("DNSNames", names.Dns),
            ("EmailAddresses", names.Email),
            ("IPAddresses", names.Addresses),
            ("URIs", names.Uris));
    }

    private static RegoValue? ParseKeyPair(BuiltinContext c, ReadOnlySpan<RegoValue> a)
    {
        if (!c.String(a, 0, out var certificateText) || !c.String(a, 1, out var keyText))
            return null;
        var certificates = Read(certificateText);
        try
        {
            if (certificates.Count == 0)
                return c.Fail("no certificate found");
            var key = keyText.Contains("-----BEGIN", StringComparison.Ordinal) ? keyText : EncodingBuiltins.Utf8(EncodingBuiltins.FromBase64(keyText));
            PrivateKeys.CheckPair(certificates[0], key);
            return RegoValue.ObjectOf(
                ("Certificate", RegoValue.ArrayOf([.. certificates.Select(x => CertificateValue.Base64(x.RawData))])),
                ("Leaf", CertificateValue.Of(certificates[0])),
                ("PrivateKey", PrivateKeys.Of(key)));
        }
        finally
        {
            certificates.ForEach(x => x.Dispose());
        }
    }
}
