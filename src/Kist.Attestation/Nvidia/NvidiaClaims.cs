using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Kist.Attestation.Nvidia;

/// <summary>One device and what its report says.</summary>
/// <param name="Architecture">As the guest says it; nothing signs it.</param>
/// <param name="Uuid">As the guest says it; nothing signs it.</param>
/// <param name="Report">The report.</param>
public sealed record NvidiaDevice(string Architecture, string Uuid, NvidiaReport Report)
{
    internal void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("arch", Architecture.Length == 0 ? "" : char.ToUpperInvariant(Architecture[0]) + Architecture[1..].ToLowerInvariant());
        writer.WriteString("uuid", Uuid);
        writer.WriteStartObject("measurements");
        foreach (var (index, value) in Report.Measurements)
            writer.WriteHex(index.ToString(CultureInfo.InvariantCulture), value.Span);
        writer.WriteEndObject();
        writer.WriteStartObject("config");
        foreach (var (type, value) in Report.Fields)
            WriteField(writer, type, value);
        writer.WriteEndObject();
        writer.WriteHex("report_data", Report.RequestNonce.Span);
        writer.WriteEndObject();
    }

    private static void WriteField(Utf8JsonWriter writer, int type, ReadOnlyMemory<byte> value)
    {
        if (type != NvidiaField.MeasurementCount)
        {
            writer.WriteString(NvidiaField.Name(type), NvidiaField.Text(type, value.Span));
            return;
        }

        writer.WriteStartObject(NvidiaField.Name(type));
        var index = 1;
        foreach (var count in NvidiaField.Counts(value))
            writer.WriteNumber(index++.ToString(CultureInfo.InvariantCulture), count);
        writer.WriteEndObject();
    }
}

/// <summary>What reports of NVIDIA devices say: Trustee's claims of one device; for several, an object with "devices".</summary>
public sealed record NvidiaClaims(ImmutableArray<NvidiaDevice> Devices) : TeeClaims
{
    /// <summary>The nonce of the first device's request; every device's was compared.</summary>
    public override ReadOnlyMemory<byte> ReportData => Devices[0].Report.RequestNonce;

    /// <summary>Empty: a device does not know how its guest was started.</summary>
    public override ReadOnlyMemory<byte> InitDataField => default;

    /// <inheritdoc/>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        if (Devices is [var only])
        {
            only.WriteTo(writer);
            return;
        }

        writer.WriteStartObject();
        writer.WriteStartArray("devices");
        foreach (var device in Devices)
            device.WriteTo(writer);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
