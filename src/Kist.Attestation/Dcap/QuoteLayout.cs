using Kist.Formats;

namespace Kist.Attestation.Dcap;

/// <summary>
/// Where the parts of a quote lie that <see cref="QuoteVerifier"/> needs, found without allocating. A quote that passes here
/// may still be malformed elsewhere: the full reader looks at every platform's first.
/// </summary>
internal readonly struct QuoteLayout
{
    private const int HeaderSize = 48;

    private readonly int _bodyOffset;
    private readonly int _end;
    private readonly bool _isTdx;

    private QuoteLayout(int bodyOffset, int signedLength, int end, bool isTdx)
    {
        _bodyOffset = bodyOffset;
        SignedLength = signedLength;
        _end = end;
        _isTdx = isTdx;
    }

    /// <summary>Size of header and body, which the quote's signature is over.</summary>
    public int SignedLength { get; }

    public static QuoteLayout Read(ReadOnlySpan<byte> quote)
    {
        var cursor = new SpanCursor(quote, "quote");
        var version = cursor.ReadUInt16LittleEndian();
        cursor.ReadBytes(2);
        var isTdx = cursor.ReadUInt32LittleEndian() == 0x81;
        cursor.ReadBytes(HeaderSize - 8);
        if (version == 5)
        {
            cursor.ReadBytes(2);
            var size = cursor.ReadUInt32LittleEndian();
            if (size is not (384 or 584 or 648))
                throw cursor.Malformed($"a body of {size} bytes is not known");
            return Finish(ref cursor, (int)size, isTdx);
        }

        return Finish(ref cursor, isTdx ? 584 : 384, isTdx);
    }

    public ReadOnlySpan<byte> Signature(ReadOnlySpan<byte> quote) => quote.Slice(SignedLength + 4, 64);

    public ReadOnlySpan<byte> ReportData(ReadOnlySpan<byte> quote) => quote.Slice(_bodyOffset + (_isTdx ? 520 : 320), 64);

    /// <summary>
    /// Hashes all that the judgement of a platform depends on: header, the body without its measurements and report data, and the
    /// signature data but the quote's own signature.
    /// </summary>
    public void HashPlatform(ReadOnlySpan<byte> quote, Span<byte> hash)
    {
        var buffer = new HashBuffer();
        var body = quote[_bodyOffset..SignedLength];
        buffer.Add(quote[.._bodyOffset]);
        if (_isTdx)
        {
            // TEE_TCB_SVN to XFAM; for 1.5, TEE_TCB_SVN2 and MRSERVICETD.
            buffer.Add(body[..136]);
            buffer.Add(body[584..]);
        }
        else
        {
            // CPUSVN to ATTRIBUTES, ISVPRODID to CONFIGSVN.
            buffer.Add(body[..64]);
            buffer.Add(body[256..262]);
        }

        buffer.Add(quote[(SignedLength + 4 + 64).._end]);
        buffer.Finish(hash);
    }

    private static QuoteLayout Finish(ref SpanCursor cursor, int bodySize, bool isTdx)
    {
        var bodyOffset = cursor.Position;
        if (isTdx && bodySize == 384)
            throw cursor.Malformed("a TD quote with an enclave's body");
        if (!isTdx && bodySize != 384)
            throw cursor.Malformed("an SGX quote with a TD's body");
        cursor.ReadBytes(bodySize);
        var signedLength = cursor.Position;
        var size = cursor.ReadLength32LittleEndian(256 * 1024, "signature data");
        if (size < 64)
            throw cursor.Malformed("the signature data is too short for a signature");
        return new QuoteLayout(bodyOffset, signedLength, cursor.Position + size, isTdx);
    }
}
