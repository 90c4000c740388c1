using System.Collections.Immutable;
using System.Formats.Cbor;
using Kist.Attestation.Cose;
using Kist.Formats;

namespace Kist.Attestation.Nitro;

/// <summary>Reads the payload of a document with the checks of AWS's section 3.2.1 (syntactical validation).</summary>
public static class NitroDocumentReader
{
    private const string Structure = "Nitro attestation document";
    private const int CertificateLimit = 1024;
    private const int PublicKeyLimit = 1024;
    private const int UserDataLimit = 512;
    private const int PcrLimit = 32;
    private const int BundleLimit = 16;

    /// <summary>Reads the CBOR map. Members that are not known are ignored: the signature covers them.</summary>
    /// <exception cref="MalformedDataException">A member is missing, of another kind, or outside its limits.</exception>
    public static NitroDocument Parse(ReadOnlyMemory<byte> payload)
    {
        var members = new Members();
        CborInput.Read(payload, Structure, reader =>
        {
            CborInput.ReadMap(reader, members.Read);
            return true;
        });
        return members.ToDocument();
    }

    private static void Check(bool holds, string member, string reason)
    {
        if (!holds)
            throw new MalformedDataException(Structure, -1, $"{member} {reason}");
    }

    private sealed class Members
    {
        private readonly ImmutableSortedDictionary<int, ReadOnlyMemory<byte>>.Builder _pcrs = ImmutableSortedDictionary.CreateBuilder<int, ReadOnlyMemory<byte>>();
        private readonly ImmutableArray<ReadOnlyMemory<byte>>.Builder _bundle = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        private string? _module;
        private string? _digest;
        private ulong _timestamp;
        private byte[]? _certificate;
        private byte[]? _publicKey;
        private byte[]? _userData;
        private byte[]? _nonce;

        public void Read(CborReader reader)
        {
            switch (reader.ReadTextString())
            {
                case "module_id": _module = reader.ReadTextString(); break;
                case "digest": _digest = reader.ReadTextString(); break;
                case "timestamp": _timestamp = reader.ReadUInt64(); break;
                case "pcrs": CborInput.ReadMap(reader, ReadPcr); break;
                case "certificate": _certificate = reader.ReadByteString(); break;
                case "cabundle": CborInput.ReadArray(reader, ReadAuthority); break;
                case "public_key": _publicKey = CborInput.ReadOptionalBytes(reader); break;
                case "user_data": _userData = CborInput.ReadOptionalBytes(reader); break;
                case "nonce": _nonce = CborInput.ReadOptionalBytes(reader); break;
                default: reader.SkipValue(); break;
            }
        }

        public NitroDocument ToDocument()
        {
            Check(!string.IsNullOrEmpty(_module), "module_id", "is missing or empty");
            Check(_digest == "SHA384", "digest", "is not SHA384");
            // The last millisecond of the year 9999, beyond which there is no DateTimeOffset.
            Check(_timestamp is > 0 and <= 253_402_300_799_999, "timestamp", "is missing or out of range");
            Check(_pcrs.Count > 0, "pcrs", "is missing or empty");
            Check(_certificate is { Length: > 0 and <= CertificateLimit }, "certificate", $"is missing or not of 1 to {CertificateLimit} bytes");
            Check(_bundle.Count > 0, "cabundle", "is missing or empty");
            Check(_publicKey is null or { Length: > 0 and <= PublicKeyLimit }, "public_key", $"is not of 1 to {PublicKeyLimit} bytes");
            Check(_userData is null or { Length: <= UserDataLimit }, "user_data", $"is longer than {UserDataLimit} bytes");
            Check(_nonce is null or { Length: <= UserDataLimit }, "nonce", $"is longer than {UserDataLimit} bytes");
            return new NitroDocument
            {
                ModuleId = _module!,
                Digest = _digest!,
                Timestamp = DateTimeOffset.FromUnixTimeMilliseconds((long)_timestamp),
                Pcrs = _pcrs.ToImmutable(),
                Certificate = _certificate!,
                CaBundle = _bundle.ToImmutable(),
                PublicKey = Optional(_publicKey),
                UserData = Optional(_userData),
                Nonce = Optional(_nonce),
            };
        }

        private void ReadPcr(CborReader reader)
        {
            var index = reader.ReadUInt64();
            var value = reader.ReadByteString();
            Check(index < PcrLimit, "pcrs", $"has index {index}, above {PcrLimit - 1}");
            Check(value.Length is 32 or 48 or 64, "pcrs", $"has a value of {value.Length} bytes");
            _pcrs[(int)index] = value;
        }

        private void ReadAuthority(CborReader reader)
        {
            var certificate = reader.ReadByteString();
            Check(certificate.Length is > 0 and <= CertificateLimit, "cabundle", $"has a certificate of {certificate.Length} bytes");
            Check(_bundle.Count < BundleLimit, "cabundle", $"has more than {BundleLimit} certificates");
            _bundle.Add(certificate);
        }

        // A plain conversion of a null array gives an empty memory, not null.
        private static ReadOnlyMemory<byte>? Optional(byte[]? bytes) => bytes is null ? null : new ReadOnlyMemory<byte>(bytes);
    }
}
