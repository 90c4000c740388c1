using System.Buffers.Binary;
using Kist.Enclaves.Sgx;
using Kist.Formats;

namespace Kist.Enclaves.Signing;

/// <summary>What a signer says about an enclave: the fields of a SIGSTRUCT that are signed.</summary>
public sealed record SigstructFields
{
    /// <summary>ENCLAVEHASH: the enclave's MRENCLAVE, 32 bytes.</summary>
    public required ReadOnlyMemory<byte> EnclaveHash { get; init; }

    /// <summary>TYPE bit 31: not a release.</summary>
    public bool IsDebugType { get; init; }

    /// <summary>VENDOR: 0 for everybody but Intel.</summary>
    public uint Vendor { get; init; }

    /// <summary>DATE of the signature. Null leaves the field zero, so that signatures can be reproduced.</summary>
    public DateOnly? Date { get; init; }

    /// <summary>SWDEFINED.</summary>
    public uint SwDefined { get; init; }

    /// <summary>ATTRIBUTES that the enclave must have.</summary>
    public SgxAttributes Attributes { get; init; } = new(EnclaveTraits.Mode64Bit, SgxAttributes.LegacyXfrm);

    /// <summary>
    /// ATTRIBUTEMASK: the attributes that are enforced. Without more: all flags, DEBUG among them, so that a release
    /// enclave cannot be started for debugging; and no processor state beyond what ATTRIBUTES names is forbidden.
    /// </summary>
    public SgxAttributes AttributeMask { get; init; } = new((EnclaveTraits)ulong.MaxValue, SgxAttributes.LegacyXfrm);

    /// <summary>MISCSELECT.</summary>
    public uint MiscSelect { get; init; }

    /// <summary>MISCMASK.</summary>
    public uint MiscMask { get; init; } = uint.MaxValue;

    /// <summary>ISVPRODID.</summary>
    public ushort IsvProdId { get; init; }

    /// <summary>ISVSVN.</summary>
    public ushort IsvSvn { get; init; }

    /// <summary>ISVFAMILYID, 16 bytes, or empty for zero. Needs the attribute KSS.</summary>
    public ReadOnlyMemory<byte> IsvFamilyId { get; init; }

    /// <summary>ISVEXTPRODID, 16 bytes, or empty for zero. Needs the attribute KSS.</summary>
    public ReadOnlyMemory<byte> IsvExtProdId { get; init; }

    /// <summary>The fields of a structure that exists, as for signing it again.</summary>
    public static SigstructFields Of(Sigstruct sigstruct)
    {
        ArgumentNullException.ThrowIfNull(sigstruct);
        return new SigstructFields
        {
            EnclaveHash = sigstruct.EnclaveHash.ToArray(),
            IsDebugType = sigstruct.IsDebugType,
            Vendor = sigstruct.Vendor,
            RawDate = sigstruct.Date,
            SwDefined = sigstruct.SwDefined,
            Attributes = sigstruct.Attributes,
            AttributeMask = sigstruct.AttributeMask,
            MiscSelect = sigstruct.MiscSelect,
            MiscMask = sigstruct.MiscMask,
            IsvProdId = sigstruct.IsvProdId,
            IsvSvn = sigstruct.IsvSvn,
            IsvFamilyId = sigstruct.IsvFamilyId.ToArray(),
            IsvExtProdId = sigstruct.IsvExtProdId.ToArray(),
        };
    }

    /// <summary>Reads the 256 bytes that are signed.</summary>
    /// <exception cref="MalformedDataException">They are none, or have something where a SIGSTRUCT has nothing.</exception>
    public static SigstructFields Parse(ReadOnlySpan<byte> material)
    {
        if (material.Length != Sigstruct.SignedSize)
            throw new MalformedDataException("SIGSTRUCT signing material", -1, $"{material.Length} bytes, not {Sigstruct.SignedSize}");
        var whole = new byte[Sigstruct.SizeInBytes];
        material[..128].CopyTo(whole);
        whole[512] = 3;
        material[128..].CopyTo(whole.AsSpan(900));
        var fields = Of(Sigstruct.Parse(whole));
        // What these fields do not hold would be signed unseen.
        return fields.ToSignedBytes().AsSpan().SequenceEqual(material) ? fields
            : throw new MalformedDataException("SIGSTRUCT signing material", -1, "it has more than a SIGSTRUCT's fields");
    }

    /// <summary>DATE as stored, where it is not a date (see <see cref="Sigstruct.Date"/>).</summary>
    internal uint? RawDate { get; init; }

    /// <summary>Writes the 256 bytes that are signed: a SIGSTRUCT's bytes 0–127 and 900–1027.</summary>
    /// <exception cref="ArgumentException">A field has the wrong length, or needs the attribute KSS.</exception>
    internal byte[] ToSignedBytes()
    {
        RequireLength(EnclaveHash, 32, nameof(EnclaveHash));
        if (!Attributes.Flags.HasFlag(EnclaveTraits.Kss) && (!IsZero(IsvFamilyId) || !IsZero(IsvExtProdId)))
            throw new ArgumentException("ISVFAMILYID and ISVEXTPRODID need the attribute KSS");

        var message = new byte[Sigstruct.SignedSize];
        var header = message.AsSpan(0, 128);
        Sigstruct.Header.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], IsDebugType ? 0x8000_0000 : 0);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], Vendor);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], RawDate ?? Bcd(Date));
        Sigstruct.Header2.CopyTo(header[24..]);
        BinaryPrimitives.WriteUInt32LittleEndian(header[40..], SwDefined);

        var body = message.AsSpan(128, 128);
        BinaryPrimitives.WriteUInt32LittleEndian(body, MiscSelect);
        BinaryPrimitives.WriteUInt32LittleEndian(body[4..], MiscMask);
        CopyIdentifier(IsvFamilyId, body.Slice(12, 16), nameof(IsvFamilyId));
        Attributes.Write(body[28..]);
        AttributeMask.Write(body[44..]);
        EnclaveHash.Span.CopyTo(body[60..]);
        CopyIdentifier(IsvExtProdId, body.Slice(108, 16), nameof(IsvExtProdId));
        BinaryPrimitives.WriteUInt16LittleEndian(body[124..], IsvProdId);
        BinaryPrimitives.WriteUInt16LittleEndian(body[126..], IsvSvn);
        return message;
    }

    private static uint Bcd(DateOnly? date)
    {
        if (date is not { } day)
            return 0;
        var digits = (uint)((day.Year * 10000) + (day.Month * 100) + day.Day);
        uint bcd = 0;
        for (var shift = 0; digits > 0; shift += 4, digits /= 10)
            bcd |= (digits % 10) << shift;
        return bcd;
    }

    private static bool IsZero(ReadOnlyMemory<byte> value) => value.Span.IndexOfAnyExcept((byte)0) < 0;

    private static void CopyIdentifier(ReadOnlyMemory<byte> value, Span<byte> field, string name)
    {
        if (value.IsEmpty)
            return;
        RequireLength(value, field.Length, name);
        value.Span.CopyTo(field);
    }

    private static void RequireLength(ReadOnlyMemory<byte> value, int length, string name)
    {
        if (value.Length != length)
            throw new ArgumentException($"{value.Length} bytes, not {length}", name);
    }
}
