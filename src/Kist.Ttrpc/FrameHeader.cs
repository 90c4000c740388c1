using System.Buffers.Binary;

namespace Kist.Ttrpc;

/// <summary>What a frame carries.</summary>
enum FrameType : byte
{
    Request = 1,
    Response = 2,
    Data = 3,
}

/// <summary>
/// The ten bytes before every message (containerd/ttrpc, PROTOCOL.md "Message Frame").
/// <code>
/// offset size field
/// 0x00   4    length of the message, big-endian, at most 4 MiB
/// 0x04   4    stream identifier, big-endian; the client's are odd and grow
/// 0x08   1    type: 1 request, 2 response, 3 data
/// 0x09   1    flags: 1 remote closed, 2 remote open, 4 no data
/// </code>
/// </summary>
readonly record struct FrameHeader(uint Length, uint StreamId, FrameType Type, byte Flags)
{
    public const int Size = 10;

    /// <summary>The longest message that the protocol allows.</summary>
    public const int MaximumMessage = 4 << 20;

    /// <summary>The caller will send data frames after this request.</summary>
    public const byte RemoteOpen = 2;

    public static FrameHeader Parse(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt32BigEndian(bytes),
        BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]),
        (FrameType)bytes[8],
        bytes[9]);

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Length);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], StreamId);
        bytes[8] = (byte)Type;
        bytes[9] = Flags;
    }
}
