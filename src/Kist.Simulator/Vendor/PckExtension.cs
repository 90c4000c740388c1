using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace Kist.Simulator.Vendor;

/// <summary>
/// The SGX extension of a PCK certificate, 1.2.840.113741.1.13.1: a sequence of { identifier, value } pairs
/// (Intel SGX PCK Certificate and CRL Profile Specification, 1.3.5).
/// <code>
/// .1 PPID, 16 octets      .2 TCB: .1–.16 component SVNs, .17 PCESVN, .18 CPUSVN, 16 octets     .3 PCEID, 2 octets
/// .4 FMSPC, 6 octets      .5 SGX type, enumerated     .6 platform instance, 16 octets
/// .7 configuration: .1 dynamic platform, .2 cached keys, .3 SMT enabled
/// </code>
/// </summary>
static class PckExtension
{
    private const string Root = "1.2.840.113741.1.13.1";

    public static X509Extension Build(SimulatedSgxPlatformIdentity identity)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            Octets(writer, ".1", identity.Ppid);
            Nested(writer, ".2", () => WriteTcb(writer, identity));
            Octets(writer, ".3", identity.PceId);
            Octets(writer, ".4", identity.Fmspc);
            Pair(writer, ".5", () => writer.WriteEnumeratedValue(identity.IsMultiPackage ? SgxType.Scalable : SgxType.Standard));
            if (identity.IsMultiPackage)
            {
                Octets(writer, ".6", identity.PlatformInstanceId);
                Nested(writer, ".7", () =>
                {
                    Pair(writer, ".7.1", () => writer.WriteBoolean(true));
                    Pair(writer, ".7.2", () => writer.WriteBoolean(false));
                    Pair(writer, ".7.3", () => writer.WriteBoolean(true));
                });
            }
        }

        return new X509Extension(Root, writer.Encode(), critical: false);
    }

    private static void WriteTcb(AsnWriter writer, SimulatedSgxPlatformIdentity identity)
    {
        for (var i = 0; i < 16; i++)
        {
            var svn = identity.CpuSvn[i];
            Pair(writer, $".2.{i + 1}", () => writer.WriteInteger(svn));
        }

        Pair(writer, ".2.17", () => writer.WriteInteger(identity.PceSvn));
        Octets(writer, ".2.18", identity.CpuSvn);
    }

    private static void Octets(AsnWriter writer, string suffix, byte[] value) =>
        Pair(writer, suffix, () => writer.WriteOctetString(value));

    private static void Nested(AsnWriter writer, string suffix, Action write) => Pair(writer, suffix, () =>
    {
        using (writer.PushSequence())
            write();
    });

    private static void Pair(AsnWriter writer, string suffix, Action write)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(Root + suffix);
            write();
        }
    }

    private enum SgxType
    {
        Standard = 0,
        Scalable = 1,
    }
}
