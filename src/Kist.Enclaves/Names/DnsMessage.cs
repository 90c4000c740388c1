using System.Buffers.Binary;
using System.Net;
using System.Text;
using Kist.Formats;

namespace Kist.Enclaves.Names;

/// <summary>
/// A question for a name's addresses, and the addresses in its answer (RFC 1035, 4.1; RFC 3596 for AAAA).
/// <code>
/// 0  2 identifier   2  2 flags   4  2 questions   6  2 answers   8  2 authorities   10  2 additional
/// 12 … question: name, 2 type, 2 class
///  … … answers: name, 2 type, 2 class, 4 time to live, 2 length, data
/// </code>
/// </summary>
static class DnsMessage
{
    public const ushort Address4 = 1, Address6 = 28;
    public const int MaxSize = 4096;

    private const string Name = "DNS answer";
    private const int HeaderSize = 12, MaxNameLength = 253, MaxLabelLength = 63;
    private const ushort Internet = 1, RecursionDesired = 0x0100, IsResponse = 0x8000, ResponseCode = 0x000f;

    /// <summary>A question to a server that asks others in its turn.</summary>
    public static byte[] Question(ushort identifier, string host, ushort type)
    {
        var message = new byte[HeaderSize];
        BinaryPrimitives.WriteUInt16BigEndian(message, identifier);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), RecursionDesired);
        message[5] = 1;
        return [.. message, .. Encode(host), 0, (byte)type, 0, (byte)Internet];
    }

    /// <summary>The addresses in the answer to a question; empty if the name has none of that type.</summary>
    /// <exception cref="MalformedDataException">It is no answer to this question, or the server could not answer.</exception>
    public static IReadOnlyList<IPAddress> Addresses(ReadOnlySpan<byte> answer, ReadOnlySpan<byte> question)
    {
        var flags = answer.Length >= question.Length ? BinaryPrimitives.ReadUInt16BigEndian(answer[2..]) : (ushort)0;
        if ((flags & IsResponse) == 0 || !answer[..2].SequenceEqual(question[..2]) || !answer[HeaderSize..question.Length].SequenceEqual(question[HeaderSize..]))
            throw new MalformedDataException(Name, 0, "it answers another question");
        if ((flags & ResponseCode) is not (0 or 3))
            throw new MalformedDataException(Name, 2, $"the server failed with code {flags & ResponseCode}");
        var type = BinaryPrimitives.ReadUInt16BigEndian(question[^4..]);
        var addresses = new List<IPAddress>();
        var at = question.Length;
        for (var count = BinaryPrimitives.ReadUInt16BigEndian(answer[6..]); count > 0; count--)
        {
            at = SkipName(answer, at);
            if (at + 10 > answer.Length)
                throw new MalformedDataException(Name, at, "it ends in the middle");
            var (recordType, recordClass) = (BinaryPrimitives.ReadUInt16BigEndian(answer[at..]), BinaryPrimitives.ReadUInt16BigEndian(answer[(at + 2)..]));
            var length = BinaryPrimitives.ReadUInt16BigEndian(answer[(at + 8)..]);
            at += 10;
            if (at + length > answer.Length)
                throw new MalformedDataException(Name, at, "it ends in the middle");
            if (recordType == type && recordClass == Internet && length == (type == Address4 ? 4 : 16))
                addresses.Add(new IPAddress(answer.Slice(at, length)));
            at += length;
        }

        return addresses;
    }

    /// <summary>Labels with their lengths, and the empty one at the end.</summary>
    private static byte[] Encode(string host)
    {
        var encoded = new List<byte>();
        foreach (var label in host.TrimEnd('.').Split('.'))
        {
            if (label.Length is 0 or > MaxLabelLength || host.Length > MaxNameLength || !label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
                throw new OperationFailedException("resolve name", host, "it is no host name");
            encoded.Add((byte)label.Length);
            encoded.AddRange(Encoding.ASCII.GetBytes(label));
        }

        return [.. encoded, 0];
    }

    /// <summary>A name ends with an empty label or with a reference to an earlier one; whose it is does not matter here.</summary>
    private static int SkipName(ReadOnlySpan<byte> message, int at)
    {
        while (at < message.Length)
        {
            var length = message[at];
            if (length == 0)
                return at + 1;
            if ((length & 0xc0) != 0)
                return at + 2;
            at += 1 + length;
        }

        throw new MalformedDataException(Name, at, "it ends in the middle");
    }
}
