using System.Collections.Immutable;
using System.Formats.Cbor;
using Kist.Attestation.Cose;
using Kist.Formats;

namespace Kist.Attestation.Psa;

/// <summary>
/// The claims of a PSA attestation token (RFC 9783 section 4), in the numbers of profile 2 (and of PSA_IOT_PROFILE_1).
/// <code>
/// claim                    profile 2  profile 1
/// nonce                    10         -75008     32, 48 or 64 bytes
/// instance id              256        -75009     33 bytes, the first 01h
/// profile                  265        -75000     text; optional in profile 1
/// client id                2394       -75001     negative for the non-secure side
/// security lifecycle       2395       -75002
/// implementation id        2396       -75003     32 bytes
/// boot seed                2397       -75004     8 to 32 bytes
/// certification reference  2398       -75005     text
/// software components      2399       -75006
/// no software measurements            -75007
/// verification service     2400       -75010     text
/// </code>
/// </summary>
public sealed record PsaToken
{
    private const string Structure = "PSA token";

    /// <summary>The profile's name; "PSA_IOT_PROFILE_1" if none is given.</summary>
    public required string Profile { get; init; }

    /// <summary>Nonce: the freshness value.</summary>
    public required ReadOnlyMemory<byte> Nonce { get; init; }

    /// <summary>Instance id: which device.</summary>
    public required ReadOnlyMemory<byte> InstanceId { get; init; }

    /// <summary>Implementation id: which kind of device.</summary>
    public required ReadOnlyMemory<byte> ImplementationId { get; init; }

    /// <summary>Client id: which partition asked.</summary>
    public required long ClientId { get; init; }

    /// <summary>Security lifecycle.</summary>
    public required int Lifecycle { get; init; }

    /// <summary>Boot seed; empty if absent.</summary>
    public ReadOnlyMemory<byte> BootSeed { get; init; }

    /// <summary>Certification reference; null if absent.</summary>
    public string? CertificationReference { get; init; }

    /// <summary>Verification service indicator; null if absent.</summary>
    public string? VerificationService { get; init; }

    /// <summary>Measured firmware; empty only if profile 1 says so.</summary>
    public required ImmutableArray<PsaSoftwareComponent> Components { get; init; }

    /// <summary>Reads the claims set.</summary>
    /// <exception cref="MalformedDataException">A mandatory claim is missing, or a claim is not of its kind or size.</exception>
    public static PsaToken Parse(ReadOnlyMemory<byte> claims) => CborInput.Read(claims, Structure, reader =>
    {
        var members = new Members();
        CborInput.ReadMap(reader, members.Read);
        return members.ToToken();
    });

    private sealed class Members
    {
        private readonly ImmutableArray<PsaSoftwareComponent>.Builder _components = ImmutableArray.CreateBuilder<PsaSoftwareComponent>();
        private string? _profile, _reference, _service;
        private byte[]? _nonce, _instance, _implementation, _seed;
        private long? _client, _lifecycle;
        private bool _noMeasurements;

        public void Read(CborReader reader)
        {
            switch (CborInput.ReadKey(reader))
            {
                case "#10" or "#-75008": _nonce = reader.ReadByteString(); break;
                case "#256" or "#-75009": _instance = reader.ReadByteString(); break;
                case "#265" or "#-75000": _profile = reader.ReadTextString(); break;
                case "#2394" or "#-75001": _client = reader.ReadInt64(); break;
                case "#2395" or "#-75002": _lifecycle = reader.ReadInt64(); break;
                case "#2396" or "#-75003": _implementation = reader.ReadByteString(); break;
                case "#2397" or "#-75004": _seed = reader.ReadByteString(); break;
                case "#2398" or "#-75005": _reference = reader.ReadTextString(); break;
                case "#2399" or "#-75006": CborInput.ReadArray(reader, r => _components.Add(PsaSoftwareComponent.Read(r))); break;
                case "#-75007": _noMeasurements = reader.ReadInt64() == 1; break;
                case "#2400" or "#-75010": _service = reader.ReadTextString(); break;
                default: reader.SkipValue(); break;
            }
        }

        public PsaToken ToToken()
        {
            Require(_nonce is { Length: 32 or 48 or 64 }, "nonce is missing or not 32, 48 or 64 bytes");
            Require(_instance is { Length: 33 } && _instance[0] == 1, "instance id is missing or not 33 bytes that begin with 01h");
            Require(_implementation is { Length: 32 }, "implementation id is missing or not 32 bytes");
            Require(_client is not null, "client id is missing");
            Require(_lifecycle is >= 0 and <= ushort.MaxValue, "security lifecycle is missing or out of range");
            Require(_seed is null or { Length: >= 8 and <= 32 }, "boot seed is not 8 to 32 bytes");
            Require(_components.Count > 0 || _noMeasurements, "software components are missing");
            return new PsaToken
            {
                Profile = _profile ?? "PSA_IOT_PROFILE_1",
                Nonce = _nonce!,
                InstanceId = _instance!,
                ImplementationId = _implementation!,
                ClientId = _client!.Value,
                Lifecycle = (int)_lifecycle!.Value,
                BootSeed = _seed ?? [],
                CertificationReference = _reference,
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
