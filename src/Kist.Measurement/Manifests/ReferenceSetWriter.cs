using System.Collections.Immutable;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Attestation.References;

namespace Kist.Measurement.Manifests;

/// <summary>
/// Writes a prediction as a reference set of Kist's key broker: values that must match together, by the paths of the claims
/// that evidence makes: {"name":…,"tee":…,"claims":{path:[value]},"expires":…,"source":…}.
/// </summary>
public static class ReferenceSetWriter
{
    /// <summary>
    /// The registers that a set can state: those that the prediction covers. What the guest extends itself (RTMR3) is stated only if
    /// its events were given; what hardware would measure besides is left out, except on the simulated platform, which measures
    /// just what is predicted.
    /// </summary>
    public static ImmutableArray<string> Registers(MeasurementManifest manifest) =>
    [
        .. manifest.Registers.Select(r => r.Name).Where(name =>
            (name != "rtmr3" || manifest.Steps.Any(s => s.Register == name)) && (manifest.Profile == Tdx.TdxLaunchProfile.Simulated.Name || manifest.NotCovered.All(n => n.Register != name))),
    ];

    /// <summary>The document.</summary>
    /// <param name="manifest">The prediction.</param>
    /// <param name="name">Unique name of the set.</param>
    /// <param name="expires">From when on it matches nothing.</param>
    /// <param name="source">Where the values come from.</param>
    public static byte[] Write(MeasurementManifest manifest, string name, DateTimeOffset expires, string source)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("name", name);
            writer.WriteString("tee", manifest.Tee);
            writer.WriteStartObject("claims");
            foreach (var register in Registers(manifest))
            {
                writer.WriteStartArray(ClaimOf(manifest.Tee, register));
                writer.WriteStringValue(manifest.Find(register)!.Value.ToString());
                writer.WriteEndArray();
            }

            writer.WriteEndObject();
            writer.WriteString("expires", expires.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
            writer.WriteString("source", source);
            writer.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    private static string ClaimOf(string tee, string register) => LaunchRegisters.ClaimOf(tee, register) ?? throw LaunchNotPossible.Because(
        "reference set", $"evidence of {tee} does not show {register} by itself", "compare the measurement where the guest's secret is injected");
}
