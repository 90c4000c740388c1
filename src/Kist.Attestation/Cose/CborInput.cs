using System.Formats.Cbor;
using Kist.Formats;

namespace Kist.Attestation.Cose;

/// <summary>Opens CBOR and turns whatever the reader throws at wrong input into <see cref="MalformedDataException"/>.</summary>
internal static class CborInput
{
    /// <summary>
    /// Reads one value with <paramref name="read"/>, which must consume it; bytes after it are refused. Duplicate map keys
    /// are refused by the reader's strict mode.
    /// </summary>
    public static T Read<T>(ReadOnlyMemory<byte> data, string structure, Func<CborReader, T> read)
    {
        if (data.Length > EvidenceLimits.Evidence)
            throw new MalformedDataException(structure, -1, $"it is {data.Length} bytes, more than the limit of {EvidenceLimits.Evidence}");
        var reader = new CborReader(data, CborConformanceMode.Strict);
        try
        {
            var result = read(reader);
            return reader.BytesRemaining == 0
                ? result
                : throw new MalformedDataException(structure, data.Length - reader.BytesRemaining, $"{reader.BytesRemaining} bytes follow its end");
        }
        catch (Exception e) when (e is CborContentException or InvalidOperationException or OverflowException)
        {
            throw new MalformedDataException(structure, data.Length - reader.BytesRemaining, "it is not CBOR of the expected kind", e);
        }
    }

    /// <summary>Reads a map and hands each key's reader to <paramref name="member"/>, which must consume the value.</summary>
    public static void ReadMap(CborReader reader, Action<CborReader> member)
    {
        reader.ReadStartMap();
        while (reader.PeekState() != CborReaderState.EndMap)
            member(reader);
        reader.ReadEndMap();
    }

    /// <summary>Reads an array and hands each element's reader to <paramref name="element"/>, which must consume it.</summary>
    public static void ReadArray(CborReader reader, Action<CborReader> element)
    {
        reader.ReadStartArray();
        while (reader.PeekState() != CborReaderState.EndArray)
            element(reader);
        reader.ReadEndArray();
    }

    /// <summary>Reads a byte string, or null for CBOR null.</summary>
    public static byte[]? ReadOptionalBytes(CborReader reader)
    {
        if (reader.PeekState() != CborReaderState.Null)
            return reader.ReadByteString();
        reader.ReadNull();
        return null;
    }

    /// <summary>Reads an integer or text key as text; "#" precedes integers, so that the two cannot be mistaken.</summary>
    public static string ReadKey(CborReader reader) => reader.PeekState() == CborReaderState.TextString
        ? reader.ReadTextString()
        : $"#{reader.ReadInt64()}";
}
