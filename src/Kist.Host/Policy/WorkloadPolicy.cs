using System.Buffers;
using System.Text;
using System.Text.Json;
using Kist.Pods.Protocol;

namespace Kist.Host;

/// <summary>Writes the agent policy (docs/agent-policy.md) that allows given containers and nothing else.</summary>
public static class WorkloadPolicy
{
    private static readonly Lazy<string> Rules = new(ReadRules);

    /// <summary>The policy as a Rego module that ends with its data.</summary>
    /// <param name="containers">All that may run.</param>
    /// <param name="network">True if the host may give the pod a network (docs/containerd.md).</param>
    /// <param name="ports">Ports of the pod's programs that the host may connect to (kist run -p); null for none.</param>
    public static string Write(IReadOnlyList<PinnedContainer> containers, bool network = false, IReadOnlyList<int>? ports = null)
    {
        var buffer = new ArrayBufferWriter<byte>();

        // The default encoder writes ' as an escape, so that the module cannot close the TOML string that carries it.
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteBoolean("network", network);
            json.WriteStartArray("ports");
            foreach (var port in (ports ?? []).Distinct().Order())
                json.WriteNumberValue(port);
            json.WriteEndArray();
            json.WriteStartArray("containers");
            foreach (var container in containers)
                WriteContainer(json, container);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return $"{Rules.Value}\npolicy_data := {Encoding.UTF8.GetString(buffer.WrittenSpan)}\n";
    }

    private static string ReadRules()
    {
        using var stream = typeof(WorkloadPolicy).Assembly.GetManifestResourceStream("agent_policy.rego")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    private static void WriteContainer(Utf8JsonWriter json, PinnedContainer container)
    {
        json.WriteStartObject();
        json.WriteString("name", container.Name);
        json.WriteStartObject("image");
        json.WriteString("reference", container.Reference);
        json.WriteString("manifest_digest", container.ManifestDigest);
        json.WriteBoolean("encrypted", container.Encrypted);
        if (container.Seal is { } seal)
            WriteSeal(json, seal);
        json.WriteEndObject();
        if (container.Overrides is { } overrides)
        {
            json.WritePropertyName("overrides");
            overrides.WriteTo(json);
        }

        json.WriteBoolean("writable_disk", container.WritableDisk);
        json.WriteBoolean("input", container.Input);
        json.WriteBoolean("output", container.Output);
        WriteOci(json, container);
        WriteArray(json, "volumes", container.Volumes, v => WriteVolume(json, v));
        WriteStrings(json, "after_completion", container.AfterCompletion);
        WriteStrings(json, "after_start", container.AfterStart);
        WriteArray(json, "exec", container.Exec, c => WriteArray(json, null, c, json.WriteStringValue));
        json.WriteBoolean("exec_any", container.ExecAny);
        WriteArray(json, "services", container.Services, s => WriteService(json, s));
        json.WriteEndObject();
    }

    private static void WriteSeal(Utf8JsonWriter json, PinnedSeal seal)
    {
        json.WriteStartObject("sealed");
        json.WriteNumber("minimum_revision", seal.MinimumRevision);
        json.WriteString("author", seal.Author);
        json.WriteEndObject();
    }

    private static void WriteOci(Utf8JsonWriter json, PinnedContainer container)
    {
        json.WriteStartObject("OCI");
        json.WriteStartObject("Process");
        if (container.Overrides is null)
        {
            WriteArray(json, "Args", container.Args, a => a.Write(json));
            WriteArray(json, "Env", container.Env, e => e.Write(json));
            json.WriteString("Cwd", container.Cwd);
            json.WriteStartObject("User");
            WriteStrings(json, "Usernames", container.Users);
            json.WriteEndObject();
        }

        json.WriteBoolean("Terminal", container.Terminal);
        WriteStrings(json, "Capabilities", container.Capabilities ?? DefaultCapabilities.Names);
        json.WriteEndObject();
        json.WriteStartObject("Root");
        json.WriteBoolean("Readonly", container.ReadOnlyRoot);
        json.WriteEndObject();
        json.WritePropertyName("Hostname");
        (container.Hostname ?? PinnedText.Pattern("", "[a-z0-9.-]*", false, "")).Write(json);
        json.WriteEndObject();
    }

    private static void WriteVolume(Utf8JsonWriter json, PinnedVolume pinned)
    {
        json.WriteStartObject();
        json.WriteString("content", pinned.IsContentFree ? "host" : "pinned");
        pinned.Volume.WriteMembers(json);
        json.WriteEndObject();
    }

    private static void WriteService(Utf8JsonWriter json, PinnedService service)
    {
        json.WriteStartObject();
        json.WriteString("name", service.Name);
        json.WriteString("resource", service.Resource);
        json.WriteEndObject();
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IReadOnlyList<string> values) =>
        WriteArray(json, name, values, json.WriteStringValue);

    private static void WriteArray<T>(Utf8JsonWriter json, string? name, IReadOnlyList<T> values, Action<T> write)
    {
        if (name is not null)
            json.WritePropertyName(name);
        json.WriteStartArray();
        foreach (var value in values)
            write(value);
        json.WriteEndArray();
    }
}
