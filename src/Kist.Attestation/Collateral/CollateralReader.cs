using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Attestation.Containers;
using Kist.Attestation.Dcap;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation;

/// <summary>
/// Reads collateral in the forms in which it is kept: Intel's own JSON documents with PEM chains and CRLs beside them, the
/// one-file JSON of dcap-qvl, and the wrappers of PCS client libraries. Files are told apart by what is in them.
/// </summary>
public sealed class CollateralReader
{
    private readonly List<(TcbInfo Info, byte[] Document, byte[]? Chain)> _tcbInfos = [];
    private readonly List<(EnclaveIdentity Identity, byte[] Document, byte[]? Chain)> _identities = [];
    private readonly List<(CertificateRevocationList Crl, byte[] Data)> _crls = [];
    private readonly List<(CertificatePath Path, byte[] Pem)> _signingChains = [];
    private readonly List<CertificatePath> _pckChains = [];
    private readonly List<CertificatePath> _authorities = [];

    /// <summary>Adds a file's contents.</summary>
    /// <returns>False if it is nothing of that kind, so that it was left aside.</returns>
    /// <exception cref="MalformedDataException">It is collateral, and does not follow its format.</exception>
    public bool Add(ReadOnlyMemory<byte> file)
    {
        if (file.Length is 0 or > EvidenceLimits.Crl)
            return false;
        file = OpenEnclaveFraming.WithoutComments(file);
        if (OpenEnclaveFraming.ElementsOf(file) is { Count: > 0 } elements)
            return AddElements(elements);
        if (file.IsEmpty)
            return false;
        if (TextEncoding.FirstCharacter(file.Span) == '{')
            return AddJson(file);
        if (!Ascii.IsValid(file.Span))
            return file.Span[0] == DerTag.Sequence && AddDer(file);
        if (file.Span.IndexOf("-----BEGIN X509 CRL-----"u8) >= 0)
            return AddCrl(file);
        return file.Span.IndexOf("-----BEGIN CERTIFICATE-----"u8) >= 0 && AddChain(file);
    }

    /// <summary>Combines everything added so far into collateral by FMSPC, authority and TEE.</summary>
    /// <param name="time">Of several documents about the same, those in force at this time are preferred, then the newest.</param>
    public CollateralStore Build(DateTimeOffset time)
    {
        var store = new CollateralStore();
        foreach (var group in _tcbInfos.GroupBy(t => (Fmspc: Convert.ToHexStringLower(t.Info.Fmspc), t.Info.Id)))
        {
            var (info, document, chain) = group
                .OrderByDescending(t => t.Info.IssueDate <= time && time <= t.Info.NextUpdate)
                .ThenByDescending(t => t.Info.EvaluationDataNumber).ThenByDescending(t => t.Info.IssueDate).First();
            foreach (var ca in new[] { PckCa.Processor, PckCa.Platform })
                store.Add(new DcapCollateralKey(group.Key.Fmspc, ca, info.Id.ToLowerInvariant()), Combine(info, document, chain, ca, time));
        }

        return store;
    }

    /// <summary>
    /// All PCK certificates among the files and the authorities above them, as PEM, for quotes that carry none
    /// (<see cref="Evidence.Certificates"/>). Empty if there are none.
    /// </summary>
    public ReadOnlyMemory<byte> PckCertificates
    {
        get
        {
            var pem = new StringBuilder();
            foreach (var certificate in _pckChains.Count == 0 ? [] : _pckChains.Concat(_authorities).SelectMany(p => p.Certificates))
                pem.Append(PemEncoding.Write("CERTIFICATE", certificate.Raw.Span)).Append('\n');
            return Encoding.ASCII.GetBytes(pem.ToString());
        }
    }

    private DcapCollateral Combine(TcbInfo info, byte[] document, byte[]? chain, PckCa ca, DateTimeOffset time)
    {
        var wanted = info.Id == "TDX" ? "TD_QE" : "QE";
        var identity = _identities.Where(i => i.Identity.Id == wanted)
            .OrderByDescending(i => i.Identity.IssueDate <= time && time <= i.Identity.NextUpdate)
            .ThenByDescending(i => i.Identity.EvaluationDataNumber == info.EvaluationDataNumber)
            .ThenByDescending(i => i.Identity.IssueDate).FirstOrDefault();
        return new DcapCollateral
        {
            TcbInfo = document,
            TcbInfoIssuerChain = chain ?? SigningChain(time),
            QeIdentity = identity.Document,
            QeIdentityIssuerChain = identity.Chain ?? SigningChain(time),
            PckCrl = FindCrl(ca == PckCa.Platform ? "PCK Platform CA" : "PCK Processor CA", time),
            RootCaCrl = FindCrl("Root CA", time),
        };
    }

    /// <summary>Elements are texts and lists in DER, with or without a NUL at their end; versions and dates are passed over.</summary>
    private bool AddElements(IReadOnlyList<ReadOnlyMemory<byte>> elements)
    {
        var added = false;
        foreach (var element in elements)
        {
            var length = element.Span.LastIndexOfAnyExcept((byte)0) + 1;
            if (length == 0 || OpenEnclaveFraming.ElementsOf(element).Count > 0)
                continue;
            if (element.Span[0] == DerTag.Sequence)
                length = new DerCursor(element.Span, "Open Enclave endorsements").ReadAny("element").Length;
            added |= Add(element[..length]);
        }

        return added;
    }

    private byte[]? SigningChain(DateTimeOffset time) => _signingChains
        .OrderByDescending(c => c.Path.Certificates.All(k => k.NotBefore <= time && time <= k.NotAfter))
        .Select(c => c.Pem).FirstOrDefault();

    private byte[]? FindCrl(string issuer, DateTimeOffset time) => _crls
        .Where(c => DistinguishedName.CommonName(c.Crl.Issuer.Span).Contains(issuer, StringComparison.Ordinal))
        .OrderByDescending(c => c.Crl.ThisUpdate <= time && time <= c.Crl.NextUpdate).ThenByDescending(c => c.Crl.ThisUpdate)
        .Select(c => c.Data).FirstOrDefault();

    private bool AddDer(ReadOnlyMemory<byte> der)
    {
        try
        {
            return AddCrl(der);
        }
        catch (MalformedDataException)
        {
            // Not a CRL: the only other thing in DER is a certificate.
            return AddChain(der);
        }
    }

    private bool AddCrl(ReadOnlyMemory<byte> data)
    {
        _crls.Add((CertificateRevocationList.Parse(data), data.ToArray()));
        return true;
    }

    private bool AddChain(ReadOnlyMemory<byte> pem)
    {
        var path = CertificatePath.Build(PemReader.ReadCertificates(pem));
        if (DistinguishedName.CommonName(path.Leaf.Subject.Span).Contains("TCB Signing", StringComparison.Ordinal))
            _signingChains.Add((path, pem.ToArray()));
        else if (DistinguishedName.CommonName(path.Leaf.Subject.Span).Contains("PCK Certificate", StringComparison.Ordinal))
            _pckChains.Add(path);
        else
            _authorities.Add(path);
        return true;
    }

    private bool AddJson(ReadOnlyMemory<byte> json)
    {
        JsonElement root;
        try
        {
            using var document = JsonDocument.Parse(json);
            root = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return false;
        }

        return StrictJson.Guard("collateral", () => AddJson(json, root));
    }

    private bool AddJson(ReadOnlyMemory<byte> json, JsonElement root)
    {
        if (Has(root, "tcbInfo"))
            AddTcbInfo(json.ToArray(), null);
        else if (Has(root, "enclaveIdentity") || Has(root, "qeIdentity"))
            AddIdentity(json.ToArray(), null);
        else if (Has(root, "tcb_info") && Has(root, "qe_identity"))
            AddQvlBundle(root);
        else
            return AddWrapper(root);
        return true;
    }

    private void AddTcbInfo(byte[] document, byte[]? chain)
    {
        _tcbInfos.Add((TcbInfo.Parse(document), document, chain));
        if (chain is not null)
            AddChain(chain);
    }

    private void AddIdentity(byte[] document, byte[]? chain)
    {
        _identities.Add((EnclaveIdentity.Parse(document), document, chain));
        if (chain is not null)
            AddChain(chain);
    }

    /// <summary>The one-file form of dcap-qvl: statements as text, signatures and CRLs in hexadecimal, chains in PEM.</summary>
    private void AddQvlBundle(JsonElement root)
    {
        const string Structure = "collateral";
        AddTcbInfo(
            Join("tcbInfo", EvidenceJson.RequireString(root, "tcb_info", Structure), EvidenceJson.RequireString(root, "tcb_info_signature", Structure)),
            Text(root, "tcb_info_issuer_chain"));
        AddIdentity(
            Join("enclaveIdentity", EvidenceJson.RequireString(root, "qe_identity", Structure), EvidenceJson.RequireString(root, "qe_identity_signature", Structure)),
            Text(root, "qe_identity_issuer_chain"));
        foreach (var name in new[] { "pck_crl", "root_ca_crl" })
        {
            if (Has(root, name))
                AddCrl(EvidenceJson.RequireHex(root, name, Structure));
        }

        if (Has(root, "pck_certificate_chain"))
            AddChain(Text(root, "pck_certificate_chain"));
    }

    /// <summary>The wrappers of client libraries: the service's answer as text, and the chain from its header.</summary>
    private bool AddWrapper(JsonElement root)
    {
        if (Has(root, "tcb_info_json"))
            AddTcbInfo(Text(root, "tcb_info_json"), Chain(root));
        else if (Has(root, "enclave_identity_json"))
            AddIdentity(Text(root, "enclave_identity_json"), Chain(root));
        else if (Has(root, "crl_data"))
            AddCrl(Text(root, "crl_data"));
        else if (Has(root, "crl"))
            AddCrl(Text(root, "crl"));
        else if (Has(root, "raw_tcb_info"))
            AddTcbInfo(Join("tcbInfo", EvidenceJson.RequireString(root, "raw_tcb_info", "collateral"), RawSignature(root)), Chain(root));
        else if (Has(root, "raw_enclave_identity"))
            AddIdentity(Join("enclaveIdentity", EvidenceJson.RequireString(root, "raw_enclave_identity", "collateral"), RawSignature(root)), Chain(root));
        else
            return false;
        return true;
    }

    private static byte[]? Chain(JsonElement root)
    {
        if (Has(root, "issuer_chain"))
            return Text(root, "issuer_chain");
        if (!root.TryGetProperty("ca_chain", out var chain) || chain.ValueKind != JsonValueKind.Array || chain.GetArrayLength() == 0)
            return null;
        return Encoding.UTF8.GetBytes(string.Concat(chain.EnumerateArray().Select(c => c.ValueKind == JsonValueKind.String ? c.GetString() + "\n" : "")));
    }

    /// <summary>A signature given as the bytes of an ECDSA-Sig-Value, as hexadecimal of r and s; all zero if it is none.</summary>
    private static string RawSignature(JsonElement root)
    {
        var der = EvidenceJson.RequireByteArray(root, "signature", -1, "collateral");
        var rs = new byte[64];
        return Convert.ToHexStringLower(EcdsaSignature.TryReadDer(der, rs) ? rs : der.Length == 64 ? der : new byte[64]);
    }

    private static byte[] Join(string name, string body, string signature) =>
        Encoding.UTF8.GetBytes($"{{\"{name}\":{body},\"signature\":\"{JsonEncodedText.Encode(signature)}\"}}");

    private static byte[] Text(JsonElement root, string name) => Encoding.UTF8.GetBytes(EvidenceJson.RequireString(root, name, "collateral"));

    private static bool Has(JsonElement root, string name) => root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out _);
}
