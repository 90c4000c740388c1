using System.Collections.Immutable;
using System.Formats.Cbor;
using Kist.Attestation.Cose;
using Kist.Formats;

namespace Kist.Attestation.Cca;

/// <summary>
/// The CCA realm token's claims (Arm RMM specification, DEN0137, section A7.2.3.1; draft-ffm-rats-cca-token section 4.8).
/// <code>
/// 10 challenge, 64 bytes   265 profile (newer tokens)   44235 personalization value, 64 bytes   44236 hash algorithm
/// 44237 public key (RAK)   44238 initial measurement (RIM)   44239 four extensible measurements (REM)   44240 hash of the RAK
/// </code>
/// </summary>
public sealed record CcaRealmToken
{
    private const string Structure = "CCA realm token";

    /// <summary>tag:arm.com,2023:realm#1.0.0, or null in tokens of the first profile.</summary>
    public string? Profile { get; init; }

    /// <summary>Challenge: the freshness value, 64 bytes.</summary>
    public required ReadOnlyMemory<byte> Challenge { get; init; }

    /// <summary>Realm personalization value (RPV), 64 bytes that the host set.</summary>
    public required ReadOnlyMemory<byte> PersonalizationValue { get; init; }

    /// <summary>Realm initial measurement (RIM).</summary>
    public required ReadOnlyMemory<byte> InitialMeasurement { get; init; }

    /// <summary>Realm extensible measurements (REM), four.</summary>
    public required ImmutableArray<ReadOnlyMemory<byte>> ExtensibleMeasurements { get; init; }

    /// <summary>The hash of the measurements.</summary>
    public required string HashAlgorithm { get; init; }

    /// <summary>Realm attestation key (RAK) as in the token: an uncompressed point, or a COSE_Key in newer tokens.</summary>
    public required ReadOnlyMemory<byte> PublicKey { get; init; }

    /// <summary>The hash by which the platform token names the RAK.</summary>
    public required string PublicKeyHashAlgorithm { get; init; }

    /// <summary>Reads the claims set. Claims that are not known, of either key type, are ignored: the signature covers them.</summary>
    /// <exception cref="MalformedDataException">A mandatory claim is missing, or a claim is not of its kind or size.</exception>
    public static CcaRealmToken Parse(ReadOnlyMemory<byte> claims) => CborInput.Read(claims, Structure, reader =>
    {
        var members = new Members();
        CborInput.ReadMap(reader, members.Read);
        return members.ToToken();
    });

    private sealed class Members
    {
        private readonly ImmutableArray<ReadOnlyMemory<byte>>.Builder _extensible = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        private string? _profile, _hash, _keyHash;
        private byte[]? _challenge, _personalization, _initial, _key;

        public void Read(CborReader reader)
        {
            switch (CborInput.ReadKey(reader))
            {
                case "#10": _challenge = reader.ReadByteString(); break;
                case "#265": _profile = reader.ReadTextString(); break;
                case "#44235": _personalization = reader.ReadByteString(); break;
                case "#44236": _hash = reader.ReadTextString(); break;
                case "#44237": _key = reader.ReadByteString(); break;
                case "#44238": _initial = reader.ReadByteString(); break;
                case "#44239": CborInput.ReadArray(reader, r => _extensible.Add(r.ReadByteString())); break;
                case "#44240": _keyHash = reader.ReadTextString(); break;
                default: reader.SkipValue(); break;
            }
        }

        public CcaRealmToken ToToken()
        {
            Require(_profile is null or "tag:arm.com,2023:realm#1.0.0", $"profile is not known: {_profile}");
            Require(_challenge is { Length: 64 }, "challenge is missing or not 64 bytes");
            Require(_personalization is { Length: 64 }, "personalization value is missing or not 64 bytes");
            Require(_initial is { Length: 32 or 48 or 64 }, "initial measurement is missing or not 32, 48 or 64 bytes");
            Require(_extensible.Count == 4 && _extensible.All(m => m.Length is 32 or 48 or 64), "there are not four extensible measurements");
            Require(_hash is not null, "hash algorithm is missing");
            Require(_key is { Length: > 0 and <= 512 }, "public key is missing or too long");
            Require(_keyHash is not null, "the public key's hash algorithm is missing");
            return new CcaRealmToken
            {
                Profile = _profile,
                Challenge = _challenge!,
                PersonalizationValue = _personalization!,
                InitialMeasurement = _initial!,
                ExtensibleMeasurements = _extensible.ToImmutable(),
                HashAlgorithm = _hash!,
                PublicKey = _key!,
                PublicKeyHashAlgorithm = _keyHash!,
            };
        }

        private static void Require(bool holds, string reason)
        {
            if (!holds)
                throw new MalformedDataException(Structure, -1, reason);
        }
    }
}
