using System.Collections.Immutable;
using System.Formats.Cbor;
using Kist.Attestation.Cose;
using Kist.Formats;

namespace Kist.Attestation.Tokens;

/// <summary>
/// Attestation results as CBOR (draft-ietf-rats-ear section 4, in its CBOR keys): 1 iss, 4 exp, 6 iat, 265 profile, 266 submods, 1000
/// status, 1001 vector, 1002 raw evidence, 1003 policy ids, 1004 verifier id {0 developer, 1 build}.
/// </summary>
public static class EarCbor
{
    private const string Structure = "EAR claims (CBOR)";

    /// <summary>Reads a claims set. Claims that are not known are ignored.</summary>
    /// <exception cref="MalformedDataException">A mandatory claim is missing, or a claim is of another kind.</exception>
    public static EarResult Parse(ReadOnlyMemory<byte> cbor) => CborInput.Read(cbor, Structure, reader =>
    {
        var members = new Members();
        CborInput.ReadMap(reader, members.Read);
        return members.ToResult();
    });

    /// <summary>Writes a claims set in deterministic encoding. Annotated evidence, which has no CBOR form, is left out.</summary>
    public static byte[] Write(EarResult result)
    {
        var writer = new CborWriter(CborConformanceMode.Canonical, convertIndefiniteLengthEncodings: true);
        writer.WriteStartMap(null);
        if (result.Issuer is not null)
        {
            writer.WriteInt32(1);
            writer.WriteTextString(result.Issuer);
        }

        if (result.Expires is { } expires)
        {
            writer.WriteInt32(4);
            writer.WriteInt64(expires.ToUnixTimeSeconds());
        }

        writer.WriteInt32(6);
        writer.WriteInt64(result.IssuedAt.ToUnixTimeSeconds());
        writer.WriteInt32(265);
        writer.WriteTextString(result.Profile);
        WriteSubmods(writer, result);
        if (!result.RawEvidence.IsEmpty)
        {
            writer.WriteInt32(1002);
            writer.WriteByteString(result.RawEvidence.Span);
        }

        writer.WriteInt32(1004);
        writer.WriteStartMap(2);
        writer.WriteInt32(0);
        writer.WriteTextString(result.Developer);
        writer.WriteInt32(1);
        writer.WriteTextString(result.Build);
        writer.WriteEndMap();
        writer.WriteEndMap();
        return writer.Encode();
    }

    private static void WriteSubmods(CborWriter writer, EarResult result)
    {
        writer.WriteInt32(266);
        writer.WriteStartMap(result.Submods.Count);
        foreach (var (name, appraisal) in result.Submods)
        {
            writer.WriteTextString(name);
            writer.WriteStartMap(null);
            writer.WriteInt32(1000);
            writer.WriteInt32((int)appraisal.Status);
            if (!appraisal.Vector.IsEmpty)
            {
                writer.WriteInt32(1001);
                writer.WriteStartMap(appraisal.Vector.Count);
                foreach (var (claim, value) in appraisal.Vector)
                {
                    writer.WriteInt32(EarAppraisal.VectorNames.IndexOf(claim));
                    writer.WriteInt32(value);
                }

                writer.WriteEndMap();
            }

            if (!appraisal.PolicyIds.IsEmpty)
            {
                writer.WriteInt32(1003);
                writer.WriteStartArray(appraisal.PolicyIds.Length);
                foreach (var id in appraisal.PolicyIds)
                    writer.WriteTextString(id);
                writer.WriteEndArray();
            }

            writer.WriteEndMap();
        }

        writer.WriteEndMap();
    }

    private static EarAppraisal ReadSubmod(CborReader reader)
    {
        EarTier? status = null;
        var vector = ImmutableSortedDictionary.CreateBuilder<string, sbyte>(StringComparer.Ordinal);
        var policies = ImmutableArray.CreateBuilder<string>();
        CborInput.ReadMap(reader, r =>
        {
            switch (CborInput.ReadKey(r))
            {
                case "#1000": status = ReadStatus(r.ReadInt32()); break;
                case "#1001": CborInput.ReadMap(r, v => ReadClaim(v, vector)); break;
                case "#1003" when r.PeekState() == CborReaderState.TextString: policies.Add(r.ReadTextString()); break;
                case "#1003": CborInput.ReadArray(r, p => policies.Add(p.ReadTextString())); break;
                default: r.SkipValue(); break;
            }
        });
        return new EarAppraisal
        {
            Status = status ?? throw new MalformedDataException(Structure, -1, "status (1000) is missing"),
            Vector = vector.ToImmutable(),
            PolicyIds = policies.ToImmutable(),
        };
    }

    private static EarTier ReadStatus(int value) => Enum.IsDefined((EarTier)value)
        ? (EarTier)value
        : throw new MalformedDataException(Structure, -1, $"status {value} is none of 0, 2, 32 and 96");

    private static void ReadClaim(CborReader reader, ImmutableSortedDictionary<string, sbyte>.Builder vector)
    {
        var key = reader.ReadInt32();
        var value = reader.ReadInt32();
        if (key < 0 || key >= EarAppraisal.VectorNames.Length || value is < sbyte.MinValue or > sbyte.MaxValue)
            throw new MalformedDataException(Structure, -1, $"the vector's claim {key} is not known, or not from -128 to 127");
        vector[EarAppraisal.VectorNames[key]] = (sbyte)value;
    }

    private sealed class Members
    {
        private readonly ImmutableSortedDictionary<string, EarAppraisal>.Builder _submods = ImmutableSortedDictionary.CreateBuilder<string, EarAppraisal>(StringComparer.Ordinal);
        private string? _profile, _issuer, _developer, _build;
        private long? _issued, _expires;
        private byte[] _raw = [];

        public void Read(CborReader reader)
        {
            switch (CborInput.ReadKey(reader))
            {
                case "#1": _issuer = reader.ReadTextString(); break;
                case "#4": _expires = reader.ReadInt64(); break;
                case "#6": _issued = reader.ReadInt64(); break;
                case "#265": _profile = reader.ReadTextString(); break;
                case "#266": CborInput.ReadMap(reader, r => _submods[r.ReadTextString()] = ReadSubmod(r)); break;
                case "#1002": _raw = reader.ReadByteString(); break;
                case "#1004": CborInput.ReadMap(reader, ReadVerifier); break;
                default: reader.SkipValue(); break;
            }
        }

        public EarResult ToResult()
        {
            if (_profile is null || _issued is null || _developer is null || _build is null || _submods.Count == 0)
                throw new MalformedDataException(Structure, -1, "one of profile, iat, verifier id and submods is missing");
            return new EarResult
            {
                Profile = _profile,
                IssuedAt = Time(_issued.Value),
                Expires = _expires is { } expires ? Time(expires) : null,
                Issuer = _issuer,
                Developer = _developer,
                Build = _build,
                RawEvidence = _raw,
                Submods = _submods.ToImmutable(),
            };
        }

        private void ReadVerifier(CborReader reader)
        {
            switch (CborInput.ReadKey(reader))
            {
                case "#0": _developer = reader.ReadTextString(); break;
                case "#1": _build = reader.ReadTextString(); break;
                default: reader.SkipValue(); break;
            }
        }

        private static DateTimeOffset Time(long seconds) => seconds is >= 0 and < 253_402_300_800
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : throw new MalformedDataException(Structure, -1, "a time is out of range");
    }
}
