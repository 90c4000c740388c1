using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Security.Cryptography.Cose;
using Kist.Attestation.Corim;

namespace Kist.Measurement.Manifests;

/// <summary>
/// Writes a manifest's registers as a Concise Reference Integrity Manifest (draft-ietf-rats-corim):
/// <code>
/// #6.501({ 0: id, 1: [ #6.506(bstr .cbor comid) ], 3: #6.32(profile), 4: { 0: #6.1(not-before), 1: #6.1(not-after) } })
/// comid    { 1: { 0: tag id }, 4: { 0: [ [ environment, [ measurement, … ] ] ] } }
/// environment  { 0: { 1: vendor, 2: model } }     measurement  { 0: key, 1: { 2: [ [ algorithm, digest ] ] } }
/// key: the register's name, so that <see cref="CorimReferenceSet"/> finds the claim that shows it
/// signed   COSE_Sign1, protected { 1: algorithm, 3: "application/rim+cbor", 8: bstr .cbor { 0: { 0: signer } } }
/// </code>
/// </summary>
public static class CorimWriter
{
    private const int Sha256Algorithm = 1;
    private const int Sha384Algorithm = 7;

    /// <summary>The unsigned manifest.</summary>
    /// <param name="manifest">The prediction.</param>
    /// <param name="registers">Names of the registers to state.</param>
    /// <param name="id">Identity of the document.</param>
    /// <param name="notBefore">From when it is valid.</param>
    /// <param name="notAfter">Until when it is valid.</param>
    public static byte[] Write(MeasurementManifest manifest, IReadOnlyCollection<string> registers, string id, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        var writer = new CborWriter(CborConformanceMode.Canonical);
        writer.WriteTag((CborTag)501);
        writer.WriteStartMap(4);
        writer.WriteInt32(0);
        writer.WriteTextString(id);
        writer.WriteInt32(1);
        writer.WriteStartArray(1);
        writer.WriteTag((CborTag)506);
        writer.WriteByteString(WriteComid(manifest, registers, id));
        writer.WriteEndArray();
        writer.WriteInt32(3);
        writer.WriteTag(CborTag.Uri);
        writer.WriteTextString(CorimReferenceSet.LaunchProfile);
        writer.WriteInt32(4);
        writer.WriteStartMap(2);
        writer.WriteInt32(0);
        WriteTime(writer, notBefore);
        writer.WriteInt32(1);
        WriteTime(writer, notAfter);
        writer.WriteEndMap();
        writer.WriteEndMap();
        return writer.Encode();
    }

    /// <summary>The manifest signed by COSE_Sign1.</summary>
    /// <param name="corim">The unsigned manifest.</param>
    /// <param name="key">The signer's key: P-256 or P-384.</param>
    /// <param name="signer">The signer's name.</param>
    public static byte[] Sign(byte[] corim, ECDsa key, string signer)
    {
        var meta = new CborWriter(CborConformanceMode.Canonical);
        meta.WriteStartMap(1);
        meta.WriteInt32(0);
        meta.WriteStartMap(1);
        meta.WriteInt32(0);
        meta.WriteTextString(signer);
        meta.WriteEndMap();
        meta.WriteEndMap();
        var headers = new CoseHeaderMap();
        headers.Add(CoseHeaderLabel.ContentType, CoseHeaderValue.FromString("application/rim+cbor"));
        headers.Add(new CoseHeaderLabel(8), CoseHeaderValue.FromBytes(meta.Encode()));
        var hash = key.KeySize switch
        {
            256 => HashAlgorithmName.SHA256,
            384 => HashAlgorithmName.SHA384,
            _ => throw LaunchNotPossible.Because("signing key", $"a curve of {key.KeySize} bits is not supported", "use a P-256 or P-384 key"),
        };
        return CoseSign1Message.SignEmbedded(corim, new CoseSigner(key, hash, headers));
    }

    private static byte[] WriteComid(MeasurementManifest manifest, IReadOnlyCollection<string> names, string id)
    {
        var registers = manifest.Registers.Where(r => names.Contains(r.Name)).ToList();
        var writer = new CborWriter(CborConformanceMode.Canonical);
        writer.WriteStartMap(2);
        writer.WriteInt32(1);
        writer.WriteStartMap(1);
        writer.WriteInt32(0);
        writer.WriteTextString(id);
        writer.WriteEndMap();
        writer.WriteInt32(4);
        writer.WriteStartMap(1);
        writer.WriteInt32(0);
        writer.WriteStartArray(1);
        writer.WriteStartArray(2);
        WriteEnvironment(writer, manifest.Tee);
        writer.WriteStartArray(registers.Count);
        foreach (var register in registers)
            WriteMeasurement(writer, register);
        writer.WriteEndArray();
        writer.WriteEndArray();
        writer.WriteEndArray();
        writer.WriteEndMap();
        writer.WriteEndMap();
        return writer.Encode();
    }

    private static void WriteEnvironment(CborWriter writer, string tee)
    {
        writer.WriteStartMap(1);
        writer.WriteInt32(0);
        writer.WriteStartMap(2);
        writer.WriteInt32(1);
        writer.WriteTextString(CorimReferenceSet.LaunchVendor);
        writer.WriteInt32(2);
        writer.WriteTextString(tee);
        writer.WriteEndMap();
        writer.WriteEndMap();
    }

    private static void WriteMeasurement(CborWriter writer, ManifestRegister register)
    {
        writer.WriteStartMap(2);
        writer.WriteInt32(0);
        writer.WriteTextString(register.Name);
        writer.WriteInt32(1);
        writer.WriteStartMap(1);
        writer.WriteInt32(2);
        writer.WriteStartArray(1);
        writer.WriteStartArray(2);
        writer.WriteInt32(register.Value.Length switch
        {
            32 => Sha256Algorithm,
            48 => Sha384Algorithm,
            var size => throw new ArgumentException($"{register.Name} of {size} bytes is no digest"),
        });
        writer.WriteByteString(register.Value.Span);
        writer.WriteEndArray();
        writer.WriteEndArray();
        writer.WriteEndMap();
        writer.WriteEndMap();
    }

    private static void WriteTime(CborWriter writer, DateTimeOffset time)
    {
        writer.WriteTag(CborTag.UnixTimeSeconds);
        writer.WriteInt64(time.ToUnixTimeSeconds());
    }
}
