using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Kist.Attestation.EventLogs;

/// <summary>
/// What an event's data says, as far as it can be understood. The data comes from the guest: it means something only where
/// the event's digest covers it, or where the digest is compared with a reference value.
/// </summary>
internal sealed record EventDetails
{
    // "AAEL", the attestation agent's events (guest-components, attestation-agent/src/eventlog).
    private const uint AgentTag = 0x4141454C;

    /// <summary>A description, or the text itself.</summary>
    public string? Text { get; init; }

    /// <summary>A UEFI variable's vendor GUID, its bytes in their own order.</summary>
    public string? VariableName { get; init; }

    public string? UnicodeName { get; init; }

    public ReadOnlyMemory<byte>? VariableData { get; init; }

    /// <summary>Device path of an application, a node each.</summary>
    public IReadOnlyList<string>? DevicePaths { get; init; }

    /// <summary>An attestation agent's entry: domain, operation, content.</summary>
    public (string Domain, string Operation, string Content)? AgentEvent { get; init; }

    public static EventDetails Read(EventLogEntry entry)
    {
        var data = entry.Data.Span;
        return entry.Type switch
        {
            EventTypes.EfiVariableDriverConfig or EventTypes.EfiVariableBoot or EventTypes.EfiVariableBoot2 or EventTypes.EfiVariableAuthority => ReadVariable(entry.Data),
            EventTypes.EfiHandoffTables2 or EventTypes.EfiPlatformFirmwareBlob2 => ReadDescription(data),
            EventTypes.EventTag => ReadTag(data),
            EventTypes.EfiBootServicesApplication => ReadApplication(data),
            EventTypes.PlatformConfigFlags => new EventDetails { Text = PlainText(data) ?? "" },
            EventTypes.Ipl => new EventDetails { Text = ReadBootLoaderText(data) },
            EventTypes.Action or EventTypes.EfiAction => new EventDetails { Text = PlainText(data) },
            _ => new EventDetails(),
        };
    }

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        if (Text is not null)
            writer.WriteString("string", Text);
        if (UnicodeName is not null && VariableData is { } variable)
        {
            writer.WriteString("unicode_name", UnicodeName);
            writer.WriteNumber("unicode_name_length", UnicodeName.Length);
            writer.WriteBase64String("variable_data", variable.Span);
            writer.WriteNumber("variable_data_length", variable.Length);
            writer.WriteString("variable_name", VariableName);
        }

        if (DevicePaths is not null)
        {
            writer.WriteStartArray("device_paths");
            foreach (var node in DevicePaths)
                writer.WriteStringValue(node);
            writer.WriteEndArray();
        }

        if (AgentEvent is var (domain, operation, content))
        {
            writer.WriteString("unicode_name", "AAEL");
            writer.WriteStartObject("data");
            writer.WriteString("domain", domain);
            writer.WriteString("operation", operation);
            WriteAgentContent(writer, content);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    /// <summary>UEFI_VARIABLE_DATA: GUID, length of name in characters (8), length of data (8), name, data.</summary>
    private static EventDetails ReadVariable(ReadOnlyMemory<byte> memory)
    {
        var data = memory.Span;
        if (data.Length < 32)
            return new EventDetails();
        var nameLength = BinaryPrimitives.ReadUInt64LittleEndian(data[16..]);
        var dataLength = BinaryPrimitives.ReadUInt64LittleEndian(data[24..]);
        var rest = (ulong)data.Length - 32;
        if (nameLength > rest / 2 || dataLength > rest - (2 * nameLength))
            return new EventDetails();
        var guid = Convert.ToHexStringLower(data[..16]);
        return new EventDetails
        {
            VariableName = $"{guid[..8]}-{guid[8..12]}-{guid[12..16]}-{guid[16..20]}-{guid[20..]}",
            UnicodeName = Encoding.Unicode.GetString(data.Slice(32, 2 * (int)nameLength)),
            VariableData = memory.Slice(32 + (2 * (int)nameLength), (int)dataLength),
        };
    }

    /// <summary>A length in a byte, and that much text.</summary>
    private static EventDetails ReadDescription(ReadOnlySpan<byte> data) => data.Length > 0 && data.Length > data[0]
        ? new EventDetails { Text = PlainText(data.Slice(1, data[0])) }
        : new EventDetails();

    /// <summary>TCG_PCClientTaggedEvent: number (4), size (4), data.</summary>
    private static EventDetails ReadTag(ReadOnlySpan<byte> data)
    {
        if (data.Length < 8 || BinaryPrimitives.ReadUInt32LittleEndian(data[4..]) > (uint)data.Length - 8)
            return new EventDetails();
        var content = data.Slice(8, (int)BinaryPrimitives.ReadUInt32LittleEndian(data[4..]));
        return new EventDetails
        {
            Text = PlainText(content),
            AgentEvent = BinaryPrimitives.ReadUInt32LittleEndian(data) == AgentTag && System.Text.Unicode.Utf8.IsValid(content)
                && Encoding.UTF8.GetString(content).Split(' ', 3) is [var domain, var operation, var rest] ? (domain, operation, rest) : null,
        };
    }

    /// <summary>The content as JSON if it is JSON, as Trustee's claims have it, else as text.</summary>
    private static void WriteAgentContent(Utf8JsonWriter writer, string content)
    {
        writer.WritePropertyName("content");
        try
        {
            using var document = JsonDocument.Parse(content);
            document.RootElement.WriteTo(writer);
        }
        catch (JsonException)
        {
            writer.WriteStringValue(content);
        }
    }

    /// <summary>UEFI_IMAGE_LOAD_EVENT: address, length, link time address (8 each), length of path (8), path.</summary>
    private static EventDetails ReadApplication(ReadOnlySpan<byte> data)
    {
        if (data.Length < 32)
            return new EventDetails();
        var length = BinaryPrimitives.ReadUInt64LittleEndian(data[24..]);
        return length == 0 || length > (ulong)data.Length - 32
            ? new EventDetails()
            : new EventDetails { DevicePaths = DevicePath.Format(data.Slice(32, (int)length)) };
    }

    /// <summary>Text up to a NUL; UTF-16 with a leading full stop on Google Cloud; hexadecimal if it is neither.</summary>
    private static string ReadBootLoaderText(ReadOnlySpan<byte> data)
    {
        if (data is [0x2e, 0x00, _, _, ..] && data.Length % 2 == 0)
            return Encoding.Unicode.GetString(data[2..]).TrimEnd('\0');
        var end = data.IndexOf((byte)0);
        return PlainText(end < 0 ? data : data[..end]) ?? Convert.ToHexStringLower(data);
    }

    /// <summary>
    /// UTF-8 text without control characters (0x10, which separates td-shim's parts, becomes a space); null if it is no UTF-8.
    /// </summary>
    private static string? PlainText(ReadOnlySpan<byte> data)
    {
        if (!System.Text.Unicode.Utf8.IsValid(data))
            return null;
        var text = Encoding.UTF8.GetString(data).Replace('\u0010', ' ');
        return string.Concat(text.Where(c => !char.IsControl(c)));
    }
}
