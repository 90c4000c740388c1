using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation;

/// <summary>Reads members of evidence in JSON, and throws only <see cref="MalformedDataException"/>.</summary>
internal static class EvidenceJson
{
    /// <summary>The member, which must be there and not be null.</summary>
    public static JsonElement Require(JsonElement parent, string name, string structure) =>
        Optional(parent, name, structure) ?? throw new MalformedDataException(structure, -1, $"member {name} is missing");

    /// <summary>The member, or null where it is absent or null.</summary>
    public static JsonElement? Optional(JsonElement parent, string name, string structure)
    {
        if (parent.ValueKind != JsonValueKind.Object)
            throw new MalformedDataException(structure, -1, $"an object was expected, not {parent.ValueKind}");
        return parent.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    /// <summary>The member as text.</summary>
    public static string RequireString(JsonElement parent, string name, string structure)
    {
        var value = Require(parent, name, structure);
        return Text(value, name, structure);
    }

    /// <summary>The member as bytes in standard, padded base64.</summary>
    public static byte[] RequireBase64(JsonElement parent, string name, string structure) =>
        Base64(Require(parent, name, structure), name, structure);

    /// <summary>The member as bytes in standard, padded base64; null where it is absent or null.</summary>
    public static byte[]? OptionalBase64(JsonElement parent, string name, string structure) =>
        Optional(parent, name, structure) is { } value ? Base64(value, name, structure) : null;

    /// <summary>The member as bytes in base64url, with or without padding.</summary>
    public static byte[] RequireBase64Url(JsonElement parent, string name, string structure)
    {
        var text = RequireString(parent, name, structure).TrimEnd('=');
        try
        {
            return System.Buffers.Text.Base64Url.DecodeFromChars(text);
        }
        catch (FormatException e)
        {
            throw new MalformedDataException(structure, -1, $"member {name} is not base64url", e);
        }
    }

    /// <summary>The member as bytes in hexadecimal.</summary>
    public static byte[] RequireHex(JsonElement parent, string name, string structure)
    {
        var text = RequireString(parent, name, structure);
        try
        {
            return Convert.FromHexString(text);
        }
        catch (FormatException e)
        {
            throw new MalformedDataException(structure, -1, $"member {name} is not hexadecimal", e);
        }
    }

    /// <summary>The member as bytes given as an array of numbers, as serde writes byte arrays.</summary>
    /// <param name="parent">The object.</param>
    /// <param name="name">The member.</param>
    /// <param name="size">How many there must be, or -1 for any number up to the limit on evidence.</param>
    /// <param name="structure">For errors.</param>
    public static byte[] RequireByteArray(JsonElement parent, string name, int size, string structure)
    {
        var value = Require(parent, name, structure);
        if (value.ValueKind != JsonValueKind.Array)
            throw new MalformedDataException(structure, -1, $"member {name} is not an array");
        var count = value.GetArrayLength();
        if (count > EvidenceLimits.Evidence || (size >= 0 && count != size))
            throw new MalformedDataException(structure, -1, $"member {name} has {count} elements, not {size}");
        var bytes = new byte[count];
        var i = 0;
        foreach (var element in value.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetByte(out bytes[i++]))
                throw new MalformedDataException(structure, -1, $"member {name} holds something that is not a byte");
        }

        return bytes;
    }

    /// <summary>The member as a number that fits 64 bits without sign.</summary>
    public static ulong RequireUInt64(JsonElement parent, string name, string structure)
    {
        var value = Require(parent, name, structure);
        return value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out var number)
            ? number
            : throw new MalformedDataException(structure, -1, $"member {name} is not an unsigned number");
    }

    private static byte[] Base64(JsonElement value, string name, string structure)
    {
        Text(value, name, structure);
        return value.TryGetBytesFromBase64(out var bytes)
            ? bytes
            : throw new MalformedDataException(structure, -1, $"member {name} is not base64");
    }

    /// <summary>The value as text.</summary>
    public static string Text(JsonElement value, string name, string structure)
    {
        if (value.ValueKind != JsonValueKind.String)
            throw new MalformedDataException(structure, -1, $"member {name} is not a string");
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new MalformedDataException(structure, -1, $"member {name} is not valid text", e);
        }
    }
}
