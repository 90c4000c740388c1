using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Dcap;

/// <summary>
/// The SGX extensions of a PCK certificate (Intel SGX PCK Certificate and CRL Profile Specification §1.3.5):
/// 1.2.840.113741.1.13.1, a sequence of pairs of identifier and value.
/// </summary>
internal sealed class PckCertificate
{
    /// <summary>Contents of OID 1.2.840.113741.1.13.1; identifiers inside add one or two numbers.</summary>
    private static ReadOnlySpan<byte> ExtensionId => [0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01];

    private readonly byte[] _components = new byte[16];

    private PckCertificate(Certificate certificate) => Certificate = certificate;

    public Certificate Certificate { get; }

    /// <summary>Platform provisioning identity, 16 bytes: names one machine.</summary>
    public ReadOnlyMemory<byte> Ppid { get; private set; }

    /// <summary>The 16 TCB components.</summary>
    public ReadOnlySpan<byte> Components => _components;

    public int PceSvn { get; private set; } = -1;

    public ReadOnlyMemory<byte> CpuSvn { get; private set; }

    public ReadOnlyMemory<byte> PceId { get; private set; }

    /// <summary>Family, model, stepping, platform type and SKU, 6 bytes.</summary>
    public ReadOnlyMemory<byte> Fmspc { get; private set; }

    /// <summary>0 standard, 1 scalable, 2 scalable with integrity.</summary>
    public int SgxType { get; private set; } = -1;

    /// <summary>16 bytes; empty on single-package platforms.</summary>
    public ReadOnlyMemory<byte> PlatformInstanceId { get; private set; }

    /// <summary>Configuration of multi-package platforms; null if not stated.</summary>
    public bool? IsDynamicPlatform { get; private set; }

    public bool? HasCachedKeys { get; private set; }

    public bool? IsSmtEnabled { get; private set; }

    public string FmspcText => Convert.ToHexStringLower(Fmspc.Span);

    public PckCa Ca => DistinguishedName.CommonName(Certificate.Issuer.Span).Contains("Platform", StringComparison.Ordinal)
        ? PckCa.Platform
        : PckCa.Processor;

    /// <summary>Reads the extensions of a certificate.</summary>
    /// <exception cref="MalformedDataException">They are absent, incomplete or malformed.</exception>
    public static PckCertificate Parse(Certificate certificate)
    {
        if (certificate.Find(ExtensionId) is not { } extension)
            throw new MalformedDataException("PCK certificate", -1, "it has no SGX extension");
        var pck = new PckCertificate(certificate);
        var outer = new DerCursor(extension.Value.Span, "SGX extension", extension.Offset);
        var list = outer.ReadSequence("SGX extension");
        outer.ExpectEnd();
        while (!list.IsEmpty)
        {
            var pair = list.ReadSequence("SGX extension item");
            var id = pair.Read(DerTag.ObjectIdentifier, "identifier");
            if (id.Length == ExtensionId.Length + 1 && id.StartsWith(ExtensionId))
                pck.ReadItem(id[^1], ref pair);
        }

        if (pck.Fmspc.IsEmpty || pck.PceId.IsEmpty || pck.CpuSvn.IsEmpty || pck.PceSvn < 0 || pck.SgxType < 0)
            throw new MalformedDataException("SGX extension", extension.Offset, "FMSPC, PCEID, TCB or SGX type is missing");
        return pck;
    }

    private void ReadItem(byte item, ref DerCursor pair)
    {
        switch (item)
        {
            case 1:
                Ppid = ReadOctets(ref pair, "PPID", 16);
                break;
            case 2:
                ReadTcb(pair.ReadSequence("TCB"));
                break;
            case 3:
                PceId = ReadOctets(ref pair, "PCEID", 2);
                break;
            case 4:
                Fmspc = ReadOctets(ref pair, "FMSPC", 6);
                break;
            case 5:
                SgxType = pair.ReadInt32("SGX type", 255, DerTag.Enumerated);
                break;
            case 6:
                PlatformInstanceId = ReadOctets(ref pair, "platform instance id", 16);
                break;
            case 7:
                ReadConfiguration(pair.ReadSequence("configuration"));
                break;
            default:
                return;
        }

        pair.ExpectEnd();
    }

    private void ReadTcb(DerCursor list)
    {
        var seen = 0;
        while (!list.IsEmpty)
        {
            var pair = list.ReadSequence("TCB item");
            var id = pair.Read(DerTag.ObjectIdentifier, "identifier");
            if (id.Length != ExtensionId.Length + 2 || !id.StartsWith(ExtensionId) || id[^2] != 2)
                throw pair.Malformed("an item of another kind is in the TCB");
            switch (id[^1])
            {
                case >= 1 and <= 16 and var component:
                    _components[component - 1] = (byte)pair.ReadInt32("TCB component", 255);
                    seen |= 1 << component;
                    break;
                case 17:
                    PceSvn = pair.ReadInt32("PCESVN", 65535);
                    break;
                case 18:
                    CpuSvn = ReadOctets(ref pair, "CPUSVN", 16);
                    break;
                default:
                    throw pair.Malformed($"TCB item {id[^1]} is not known");
            }

            pair.ExpectEnd();
        }

        if (seen != 0x1fffe)
            throw list.Malformed("not all 16 TCB components are there");
    }

    private void ReadConfiguration(DerCursor list)
    {
        while (!list.IsEmpty)
        {
            var pair = list.ReadSequence("configuration item");
            var id = pair.Read(DerTag.ObjectIdentifier, "identifier");
            var value = pair.ReadBoolean("configuration value");
            pair.ExpectEnd();
            switch (id[^1])
            {
                case 1:
                    IsDynamicPlatform = value;
                    break;
                case 2:
                    HasCachedKeys = value;
                    break;
                case 3:
                    IsSmtEnabled = value;
                    break;
            }
        }
    }

    private ReadOnlyMemory<byte> ReadOctets(ref DerCursor pair, string field, int size)
    {
        var value = pair.Read(DerTag.OctetString, field);
        return value.Length == size
            ? Certificate.Raw.Slice(pair.ContentOffset, size)
            : throw pair.Malformed($"{field} is {value.Length} bytes, not {size}");
    }
}
