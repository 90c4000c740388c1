using System.Buffers.Binary;
using Kist.Formats;

namespace Kist.Pods.Disks;

/// <summary>
/// The fixed newstyle negotiation of NBD (doc/proto.md, "Fixed newstyle negotiation"), server's side, for one read-only
/// export of any name.
/// <code>
/// server: "NBDMAGIC" "IHAVEOPT" flags(2)      client: flags(4)
/// client: "IHAVEOPT" option(4) length(4) data     server: 0x3e889045565a9(8) option(4) type(4) length(4) data
/// </code>
/// </summary>
static class NbdNegotiation
{
    private const ulong OptionMagic = 0x49484156454F5054, ReplyMagic = 0x0003e889045565a9;
    private const ushort FixedNewstyle = 1, NoZeroes = 2;
    private const uint ExportNameOption = 1, AbortOption = 2, InfoOption = 6, GoOption = 7;
    private const uint Acknowledge = 1, InformationReply = 3, Unsupported = 0x80000001;
    private const ushort ExportInformation = 0, HasFlags = 1, ReadOnly = 2;
    private const int MaximumOption = 8192, MaximumOptions = 64;

    /// <summary>Negotiates. True when requests follow; false if the client gave up.</summary>
    public static async Task<bool> RunAsync(Stream client, long length, CancellationToken cancellationToken)
    {
        var greeting = new byte[18];
        "NBDMAGIC"u8.CopyTo(greeting);
        BinaryPrimitives.WriteUInt64BigEndian(greeting.AsSpan(8), OptionMagic);
        BinaryPrimitives.WriteUInt16BigEndian(greeting.AsSpan(16), FixedNewstyle | NoZeroes);
        await client.WriteAsync(greeting, cancellationToken).ConfigureAwait(false);
        var flags = new byte[4];
        await client.ReadExactlyAsync(flags, cancellationToken).ConfigureAwait(false);
        var sendZeroes = (BinaryPrimitives.ReadUInt32BigEndian(flags) & NoZeroes) == 0;

        var head = new byte[16];
        for (var i = 0; i < MaximumOptions; i++)
        {
            await client.ReadExactlyAsync(head, cancellationToken).ConfigureAwait(false);
            var option = BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(8));
            var size = BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(12));
            if (BinaryPrimitives.ReadUInt64BigEndian(head) != OptionMagic || size > MaximumOption)
                throw new MalformedDataException("NBD option", 0, "wrong magic number, or too long");
            await client.ReadExactlyAsync(new byte[size], cancellationToken).ConfigureAwait(false);
            switch (option)
            {
                case ExportNameOption:
                    await client.WriteAsync((byte[])[.. Export(length), .. sendZeroes ? new byte[124] : []], cancellationToken).ConfigureAwait(false);
                    return true;
                case InfoOption or GoOption:
                    await ReplyAsync(client, option, InformationReply, [0, (byte)ExportInformation, .. Export(length)], cancellationToken).ConfigureAwait(false);
                    await ReplyAsync(client, option, Acknowledge, [], cancellationToken).ConfigureAwait(false);
                    if (option == GoOption)
                        return true;
                    break;
                case AbortOption:
                    await ReplyAsync(client, option, Acknowledge, [], cancellationToken).ConfigureAwait(false);
                    return false;
                default:
                    await ReplyAsync(client, option, Unsupported, [], cancellationToken).ConfigureAwait(false);
                    break;
            }
        }

        throw new MalformedDataException("NBD negotiation", -1, $"more than {MaximumOptions} options");
    }

    /// <summary>Length and transmission flags.</summary>
    private static byte[] Export(long length)
    {
        var export = new byte[10];
        BinaryPrimitives.WriteInt64BigEndian(export, length);
        BinaryPrimitives.WriteUInt16BigEndian(export.AsSpan(8), HasFlags | ReadOnly);
        return export;
    }

    private static async Task ReplyAsync(Stream client, uint option, uint type, byte[] data, CancellationToken cancellationToken)
    {
        var reply = new byte[20 + data.Length];
        BinaryPrimitives.WriteUInt64BigEndian(reply, ReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(reply.AsSpan(8), option);
        BinaryPrimitives.WriteUInt32BigEndian(reply.AsSpan(12), type);
        BinaryPrimitives.WriteInt32BigEndian(reply.AsSpan(16), data.Length);
        data.CopyTo(reply, 20);
        await client.WriteAsync(reply, cancellationToken).ConfigureAwait(false);
    }
}
