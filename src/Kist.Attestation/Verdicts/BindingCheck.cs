namespace Kist.Attestation;

/// <summary>Compares what evidence binds with what the caller expects. The same for every TEE.</summary>
internal static class BindingCheck
{
    /// <summary>
    /// Adds "{tee}.binding.report_data". The expected bytes are zero-padded to the field's size; more bytes than the field
    /// has cannot be bound, and fail; so does an empty value, which would bind nothing.
    /// </summary>
    public static void ReportData(VerdictBuilder verdict, ReadOnlyMemory<byte>? expected, ReadOnlySpan<byte> field)
    {
        var id = $"{verdict.Tee}.binding.report_data";
        if (expected is not { } value)
        {
            verdict.NotChecked(
                id, "no report data was given, so it is not known for whom and when the evidence was made",
                "give the value that the guest was to bind (--report-data)");
            return;
        }

        verdict.Check(
            id,
            value.Length > 0 && value.Length <= field.Length && Pad(value.Span, field.Length).AsSpan().SequenceEqual(field),
            "the evidence binds the expected report data: it was made for this request, now",
            value.Length > 0 && value.Length <= field.Length ? Convert.ToHexStringLower(Pad(value.Span, field.Length)) : $"1 to {field.Length} bytes, not {value.Length}",
            Convert.ToHexStringLower(field),
            "the evidence belongs to another request (a replay), or guest and verifier compute the value differently",
            failure: "the evidence binds other report data: it was not made for this request");
    }

    /// <summary>
    /// Adds "{tee}.binding.init_data". The digest is zero-padded or truncated to the field's size, as the init-data
    /// specification of Confidential Containers says.
    /// </summary>
    public static void InitData(VerdictBuilder verdict, ReadOnlyMemory<byte>? digest, ReadOnlySpan<byte> field, string fieldName)
    {
        var id = $"{verdict.Tee}.binding.init_data";
        if (digest is not { } value)
        {
            verdict.NotChecked(id, $"no init-data was given to compare {fieldName} with");
            return;
        }

        var expected = Pad(value.Span[..Math.Min(value.Length, field.Length)], field.Length);
        verdict.Check(
            id,
            value.Length > 0 && expected.AsSpan().SequenceEqual(field),
            $"{fieldName} is the digest of the init-data: the guest was started with this configuration",
            Convert.ToHexStringLower(expected),
            Convert.ToHexStringLower(field),
            "the guest was started with other init-data (or none); compare the documents, and the digest's algorithm",
            "CoCo init-data specification",
            $"{fieldName} is not the digest of the init-data: the guest was started with another configuration");
    }

    private static byte[] Pad(ReadOnlySpan<byte> value, int size)
    {
        var padded = new byte[size];
        value.CopyTo(padded);
        return padded;
    }
}
