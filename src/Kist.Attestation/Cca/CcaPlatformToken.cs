using System.Collections.Immutable;
using System.Formats.Cbor;
using Kist.Attestation.Cose;
using Kist.Attestation.Psa;
using Kist.Formats;

namespace Kist.Attestation.Cca;

/// <summary>
/// The CCA platform token's claims (Arm RMM specification, DEN0137, section A7.2.3.2; draft-ffm-rats-cca-token section 4.6).
/// <code>
/// 10 challenge (hash of the realm's key)   256 instance id, 33 bytes   265 profile   2395 lifecycle
/// 2396 implementation id, 32 bytes   2399 software components   2400 verification service   2401 config   2402 hash algorithm
/// </code>
/// </summary>
public sealed record CcaPlatformToken
{
    private const string Structure = "CCA platform token";

    /// <summary>http://arm.com/CCA-SSD/1.0.0, or tag:arm.com,2023:cca_platform#1.0.0.</summary>
    public required string Profile { get; init; }

    /// <summary>Challenge: the hash of the realm's public key.</summary>
    public required ReadOnlyMemory<byte> Challenge { get; init; }

    /// <summary>Implementation id: which kind of platform.</summary>
    public required ReadOnlyMemory<byte> ImplementationId { get; init; }

    /// <summary>Instance id: which platform.</summary>
    public required ReadOnlyMemory<byte> InstanceId { get; init; }

    /// <summary>Configuration, as the platform's maker defines it.</summary>
    public required ReadOnlyMemory<byte> Config { get; init; }

    /// <summary>Security lifecycle.</summary>
    public required int Lifecycle { get; init; }

    /// <summary>The hash of the measurements, "sha-256" or "sha-512".</summary>
    public required string HashAlgorithm { get; init; }

    /// <summary>Verification service; null if absent.</summary>
    public string? VerificationService { get; init; }

    /// <summary>Measured firmware.</summary>
    public required ImmutableArray<PsaSoftwareComponent> Components { get; init; }

    /// <summary>Reads the claims set. Claims that are not known are ignored: the signature covers them.</summary>
    /// <exception cref="MalformedDataException">A mandatory claim is missing, or a claim is not of its kind or size.</exception>
    public static CcaPlatformToken Parse(ReadOnlyMemory<byte> claims) => CborInput.Read(claims, Structure, reader =>
    {
        var members = new Members();
        CborInput.ReadMap(reader, members.Read);
        return members.ToToken();
    });

    private sealed class Members
    {
        private readonly ImmutableArray<PsaSoftwareComponent>.Builder _components = ImmutableArray.CreateBuilder<PsaSoftwareComponent>();
        private string? _profile, _hash, _service;
        private byte[]? _challenge, _implementation, _instance, _config;
        private long? _lifecycle;

        public void Read(CborReader reader)
        {
            switch (CborInput.ReadKey(reader))
            {
                case "#10": _challenge = reader.ReadByteString(); break;
                case "#256": _instance = reader.ReadByteString(); break;
                case "#265": _profile = reader.ReadTextString(); break;
                case "#2395": _lifecycle = reader.ReadInt64(); break;
                case "#2396": _implementation = reader.ReadByteString(); break;
                case "#2399": CborInput.ReadArray(reader, r => _components.Add(PsaSoftwareComponent.Read(r))); break;
                case "#2400": _service = reader.ReadTextString(); break;
                case "#2401": _config = reader.ReadByteString(); break;
                case "#2402": _hash = reader.ReadTextString(); break;
                default: reader.SkipValue(); break;
            }
        }

        public CcaPlatformToken ToToken()
        {
            Require(_profile is "http://arm.com/CCA-SSD/1.0.0" or "tag:arm.com,2023:cca_platform#1.0.0", $"profile is missing or not known: {_profile}");
            Require(_challenge is { Length: 32 or 48 or 64 }, "challenge is missing or not 32, 48 or 64 bytes");
            Require(_implementation is { Length: 32 }, "implementation id is missing or not 32 bytes");
            Require(_instance is { Length: 33 } && _instance[0] == 1, "instance id is missing or not 33 bytes that begin with 01h");
            Require(_config is not null, "config is missing");
            Require(_lifecycle is >= 0 and <= ushort.MaxValue, "lifecycle is missing or out of range");
            Require(_hash is not null, "hash algorithm is missing");
            Require(_components.Count > 0, "software components are missing");
            return new CcaPlatformToken
            {
                Profile = _profile!,
                Challenge = _challenge!,
                ImplementationId = _implementation!,
                InstanceId = _instance!,
                Config = _config!,
                Lifecycle = (int)_lifecycle!.Value,
                HashAlgorithm = _hash!,
                VerificationService = _service,
                Components = _components.ToImmutable(),
            };
        }

        private static void Require(bool holds, string reason)
        {
            if (!holds)
                throw new MalformedDataException(Structure, -1, reason);
        }
    }
}
