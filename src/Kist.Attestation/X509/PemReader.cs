using System.Security.Cryptography;
using System.Text;
using Kist.Formats;

namespace Kist.Attestation.X509;

/// <summary>Reads PEM (RFC 7468) and sequences of DER certificates.</summary>
internal static class PemReader
{
    private const int MaxCertificates = 16;

    public static bool IsPem(ReadOnlySpan<byte> data) => data.IndexOf("-----BEGIN "u8) >= 0;

    /// <summary>Reads the only block of this label.</summary>
    public static ReadOnlyMemory<byte> ReadSingle(ReadOnlySpan<byte> data, string label)
    {
        var blocks = ReadBlocks(data, label, 1);
        return blocks.Count == 1 ? blocks[0] : throw new MalformedDataException($"PEM {label}", -1, "there is no such block");
    }

    /// <summary>Reads certificates in PEM, or DER one after another, in their order.</summary>
    /// <param name="data">The bytes; NUL bytes and line ends after the last certificate are ignored.</param>
    /// <exception cref="MalformedDataException">There is none, or one does not follow its format.</exception>
    public static List<Certificate> ReadCertificates(ReadOnlyMemory<byte> data)
    {
        if (data.Length > EvidenceLimits.CertificateChain)
            throw new MalformedDataException("certificate chain", -1, $"{data.Length} bytes, more than the limit of {EvidenceLimits.CertificateChain}");
        var trimmed = data[..(data.Span.LastIndexOfAnyExcept("\0\r\n \t"u8) + 1)];
        var list = new List<Certificate>();
        if (IsPem(trimmed.Span))
        {
            foreach (var block in ReadBlocks(trimmed.Span, "CERTIFICATE", MaxCertificates))
                list.Add(Certificate.Parse(block));
        }
        else
        {
            ReadDerSequence(data, list);
        }

        return list.Count > 0 ? list : throw new MalformedDataException("certificate chain", 0, "there is no certificate");
    }

    private static void ReadDerSequence(ReadOnlyMemory<byte> data, List<Certificate> list)
    {
        var cursor = new DerCursor(data.Span, "certificate chain");
        while (!cursor.IsEmpty && data.Span[cursor.Offset..].ContainsAnyExcept((byte)0))
        {
            if (list.Count == MaxCertificates)
                throw cursor.Malformed($"there are more than {MaxCertificates} certificates");
            var start = cursor.Offset;
            list.Add(Certificate.Parse(data.Slice(start, cursor.ReadEncoded(DerTag.Sequence, "certificate").Length)));
        }
    }

    private static List<byte[]> ReadBlocks(ReadOnlySpan<byte> data, string label, int maximum)
    {
        if (!Ascii.IsValid(data))
            throw new MalformedDataException($"PEM {label}", data.IndexOfAnyExceptInRange((byte)0, (byte)127), "a byte is not ASCII");
        var blocks = new List<byte[]>();
        ReadOnlySpan<char> text = Encoding.ASCII.GetString(data);
        while (PemEncoding.TryFind(text, out var fields))
        {
            if (text[fields.Label].SequenceEqual(label))
            {
                if (blocks.Count == maximum)
                    throw new MalformedDataException($"PEM {label}", -1, $"there are more than {maximum} blocks");
                var block = new byte[fields.DecodedDataLength];
                if (!Convert.TryFromBase64Chars(text[fields.Base64Data], block, out var written) || written != block.Length)
                    throw new MalformedDataException($"PEM {label}", -1, "the base64 is invalid");
                blocks.Add(block);
            }

            text = text[fields.Location.End..];
        }

        return blocks;
    }
}
