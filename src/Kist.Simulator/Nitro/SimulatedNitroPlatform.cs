using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Attestation;
using Kist.Measurement;
using Kist.Measurement.Nitro;
using Kist.Simulator.Crypto;
using Kist.Simulator.Vendor;

namespace Kist.Simulator;

/// <summary>A simulated AWS Nitro hypervisor: attestation documents under a simulated root, for an enclave's measurement.</summary>
public sealed class SimulatedNitroPlatform
{
    private const string CrlUri = "https://simulation.kist.invalid/nitro.crl";
    private const int EmptyRegisterCount = 16;

    private readonly SeedDerivation _seed;
    private readonly SimulatedCertificateAuthority _root;

    /// <summary>A platform made from a seed of 32 bytes.</summary>
    public SimulatedNitroPlatform(ReadOnlySpan<byte> seed)
    {
        _seed = new SeedDerivation(seed);
        _root = SimulatedCertificateAuthority.CreateRoot(_seed.P384Key("nitro root"), "Kist Simulated Nitro Root", Validity.OfAuthorities, CrlUri);
    }

    /// <summary>The root as a trust anchor; it is marked as simulated.</summary>
    public TrustAnchor Anchor => SimulatedTrustAnchor.Of("aws", _root.Certificate);

    /// <summary>An attestation document: COSE_Sign1 over a CBOR map, ES384.</summary>
    /// <param name="enclave">The enclave's measurement.</param>
    /// <param name="time">When it is made; its certificate is valid for three hours from then.</param>
    /// <param name="userData">user_data, up to 512 bytes.</param>
    /// <param name="debug">True for an enclave in debug mode, whose PCRs are zero.</param>
    public byte[] Attest(NitroMeasurement enclave, DateTimeOffset time, ReadOnlySpan<byte> userData, bool debug = false)
    {
        if (userData.Length > 512)
            throw new ArgumentException($"user_data has up to 512 bytes, not {userData.Length}", nameof(userData));
        var second = DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());
        var key = _seed.P384Key("nitro enclave");
        var leaf = _root.Issue(key, "Kist Simulated Nitro Enclave", new Validity(second, second.AddHours(3)), KeyUsage.EndEntity, CrlUri);
        var payload = Payload(enclave, time, userData, debug, leaf.Certificate);
        var protectedHeader = ProtectedHeader();
        var signature = key.Sign(SigStructure(protectedHeader, payload));

        var writer = new CborWriter();
        writer.WriteStartArray(4);
        writer.WriteByteString(protectedHeader);
        writer.WriteStartMap(0);
        writer.WriteEndMap();
        writer.WriteByteString(payload);
        writer.WriteByteString(signature);
        writer.WriteEndArray();
        return writer.Encode();
    }

    private byte[] Payload(NitroMeasurement enclave, DateTimeOffset time, ReadOnlySpan<byte> userData, bool debug, X509Certificate2 leaf)
    {
        var writer = new CborWriter();
        writer.WriteStartMap(9);
        writer.WriteTextString("module_id");
        writer.WriteTextString("i-00000000000000000-enc0000000000000000");
        writer.WriteTextString("digest");
        writer.WriteTextString("SHA384");
        writer.WriteTextString("timestamp");
        writer.WriteUInt64((ulong)time.ToUnixTimeMilliseconds());
        writer.WriteTextString("pcrs");
        WritePcrs(writer, enclave, debug);
        writer.WriteTextString("certificate");
        writer.WriteByteString(leaf.RawData);
        writer.WriteTextString("cabundle");
        writer.WriteStartArray(1);
        writer.WriteByteString(_root.Certificate.RawData);
        writer.WriteEndArray();
        writer.WriteTextString("public_key");
        writer.WriteNull();
        writer.WriteTextString("user_data");
        writer.WriteByteString(userData);
        writer.WriteTextString("nonce");
        writer.WriteNull();
        writer.WriteEndMap();
        return writer.Encode();
    }

    private static void WritePcrs(CborWriter writer, NitroMeasurement enclave, bool debug)
    {
        var zero = HashValue.Zero(SHA384.HashSizeInBytes);
        writer.WriteStartMap(EmptyRegisterCount);
        for (var i = 0; i < EmptyRegisterCount; i++)
        {
            var value = debug ? zero : i switch { 0 => enclave.Pcr0, 1 => enclave.Pcr1, 2 => enclave.Pcr2, 8 => enclave.Pcr8 ?? zero, _ => zero };
            writer.WriteInt32(i);
            writer.WriteByteString(value.Span);
        }

        writer.WriteEndMap();
    }

    // { 1: -35 }, ES384.
    private static byte[] ProtectedHeader()
    {
        var writer = new CborWriter();
        writer.WriteStartMap(1);
        writer.WriteInt32(1);
        writer.WriteInt32(-35);
        writer.WriteEndMap();
        return writer.Encode();
    }

    private static byte[] SigStructure(byte[] protectedHeader, byte[] payload)
    {
        var writer = new CborWriter();
        writer.WriteStartArray(4);
        writer.WriteTextString("Signature1");
        writer.WriteByteString(protectedHeader);
        writer.WriteByteString([]);
        writer.WriteByteString(payload);
        writer.WriteEndArray();
        return writer.Encode();
    }
}
