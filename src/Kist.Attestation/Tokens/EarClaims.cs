using System.Text.Json;

namespace Kist.Attestation.Tokens;

/// <summary>What an attestation result says.</summary>
/// <param name="Result">The claims that are understood.</param>
/// <param name="Payload">The whole claims set as JSON; empty for a CWT.</param>
public sealed record EarClaims(EarResult Result, ReadOnlyMemory<byte> Payload) : TeeClaims
{
    /// <summary>Empty: a result binds no request by itself.</summary>
    public override ReadOnlyMemory<byte> ReportData => default;

    /// <summary>Empty.</summary>
    public override ReadOnlyMemory<byte> InitDataField => default;

    /// <summary>Writes the claims set as received, or that of a CWT in its JSON names.</summary>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        using var document = JsonDocument.Parse(Payload.IsEmpty ? EarJson.Write(Result) : Payload, new JsonDocumentOptions { MaxDepth = 128 });
        document.RootElement.WriteTo(writer);
    }
}
