namespace Kist.Attestation;

/// <summary>One field of a piece of evidence, for a person to read; nothing is judged.</summary>
/// <param name="Path">Dotted name, such as "quote.body.mr_td".</param>
/// <param name="Offset">Offset from the start of the evidence's bytes, or -1 where there is none (JSON, CBOR members).</param>
/// <param name="Length">Size in bytes, or -1.</param>
/// <param name="Value">The value: hexadecimal for bytes, decimal for numbers, text as it is.</param>
/// <param name="Meaning">What it means, or null.</param>
public sealed record EvidenceField(string Path, int Offset, int Length, string Value, string? Meaning = null);
