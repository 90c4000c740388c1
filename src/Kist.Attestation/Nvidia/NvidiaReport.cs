using System.Collections.Immutable;

namespace Kist.Attestation.Nvidia;

/// <summary>
/// An attestation report of an NVIDIA GPU or switch: the SPDM 1.1 request GET_MEASUREMENTS and its response MEASUREMENTS,
/// one after the other (DMTF DSP0274 1.1 sections 10.11 and 10.11.1). All numbers are little-endian.
/// <code>
/// request                            response
/// 0   1   SPDMVersion 11h            0   1   SPDMVersion 11h
/// 1   1   GET_MEASUREMENTS E0h       1   1   MEASUREMENTS 60h
/// 2   1   Param1                     2   1   Param1
/// 3   1   Param2                     3   1   Param2
/// 4   32  Nonce of whoever asks      4   1   NumberOfBlocks
/// 36  1   SlotIDParam                5   3   MeasurementRecordLength
///                                    8   …   blocks: index 1, specification 1 (01h DMTF), size 2, type 1, size 2, value
///                                    …   32  Nonce of the device
///                                    …   2   OpaqueLength
///                                    …   …   NVIDIA's fields: type 2, size 2, value
///                                    …   96  Signature: ECDSA P-384 over everything before, r and s
/// </code>
/// </summary>
public sealed record NvidiaReport
{
    /// <summary>The signed bytes: request, and response without its signature.</summary>
    public required ReadOnlyMemory<byte> SignedBytes { get; init; }

    /// <summary>The nonce of whoever asked, 32 bytes.</summary>
    public required ReadOnlyMemory<byte> RequestNonce { get; init; }

    /// <summary>The device's nonce, 32 bytes.</summary>
    public required ReadOnlyMemory<byte> ResponseNonce { get; init; }

    /// <summary>Measurements by index, from 1.</summary>
    public required ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> Measurements { get; init; }

    /// <summary>NVIDIA's fields by type.</summary>
    public required ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> Fields { get; init; }

    /// <summary>The signature, 96 bytes.</summary>
    public required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>FWID: the digest of the firmware that holds the signing key; null if the report does not name it.</summary>
    public ReadOnlyMemory<byte>? Fwid => Fields.TryGetValue(NvidiaField.Fwid, out var value) ? new ReadOnlyMemory<byte>?(value) : null;
}
