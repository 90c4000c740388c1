using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Kist.Attestation.EventLogs;

namespace Kist.Attestation.Tpm;

/// <summary>What a TPM quote says. Registers that the quote does not cover are nobody's word and are left out.</summary>
public sealed record TpmClaims : TeeClaims
{
    /// <summary>The register into which the init-data digest is extended.</summary>
    public const int InitDataRegister = 8;

    /// <summary>The quote.</summary>
    public required TpmQuote Quote { get; init; }

    /// <summary>SubjectPublicKeyInfo of the attestation key.</summary>
    public required ReadOnlyMemory<byte> AttestationKey { get; init; }

    /// <summary>Values of the covered registers of the first bank, by index.</summary>
    public required ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> Pcrs { get; init; }

    /// <summary>The part of the event log that the registers vouch for; null if none was given or it does not replay.</summary>
    public EventLog? EventLog { get; init; }

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> ReportData => Quote.ExtraData;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> InitDataField => Pcrs.GetValueOrDefault(InitDataRegister);

    /// <inheritdoc/>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        WritePcrs(writer, Pcrs);
        writer.WriteString("ak_public", Convert.ToBase64String(AttestationKey.Span));
        writer.WriteString("init_data", Convert.ToHexStringLower(InitDataField.Span));
        writer.WriteString("report_data", Convert.ToHexStringLower(ReportData.Span));
        writer.WriteString("bank", Quote.Selections.IsEmpty ? "" : Quote.Selections[0].Bank.ToString().ToLowerInvariant());
        writer.WriteNumber("clock", Quote.Clock);
        writer.WriteNumber("reset_count", Quote.ResetCount);
        writer.WriteNumber("restart_count", Quote.RestartCount);
        writer.WriteBoolean("clock_safe", Quote.IsClockSafe);
        writer.WriteString("firmware_version", Quote.FirmwareVersion.ToString("x16", CultureInfo.InvariantCulture));
        if (EventLog is not null)
        {
            writer.WritePropertyName("uefi_event_logs");
            EventLogJson.Write(writer, EventLog);
        }

        writer.WriteEndObject();
    }

    /// <summary>Writes members pcr00, pcr01, …</summary>
    internal static void WritePcrs(Utf8JsonWriter writer, ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> pcrs)
    {
        foreach (var (index, value) in pcrs)
            writer.WriteString($"pcr{index:D2}", Convert.ToHexStringLower(value.Span));
    }
}
