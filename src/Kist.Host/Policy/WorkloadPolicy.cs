using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Kist.Host;

/// <summary>Writes the agent policy (docs/agent-policy.md) that allows given containers and nothing else.</summary>
public static class WorkloadPolicy
{
    private const string Rules =
        """
        # Written by kist run: the containers below, exactly, and nothing else.
        package agent_policy

        import rego.v1

        default CreateContainerRequest := false
        default StartContainerRequest := false
        default WaitProcessRequest := false
        default StatsContainerRequest := false
        default RemoveContainerRequest := false
        default SignalProcessRequest := false
        default ReadStreamRequest := false
        default WriteStreamRequest := false
        default TtyWinResizeRequest := false
        default ExecProcessRequest := false

        pinned(id) := container if {
            some container in policy_data.containers
            container.container_id == id
        }

        CreateContainerRequest if {
            container := pinned(input.container_id)
            input.image.manifest_digest == container.image.manifest_digest
            input.image.encrypted == container.image.encrypted
            input.OCI.Process.Args == container.OCI.Process.Args
            input.OCI.Process.Env == container.OCI.Process.Env
            input.OCI.Process.Cwd == container.OCI.Process.Cwd
            input.OCI.Process.User.Username == container.OCI.Process.User.Username
            input.OCI.Process.Terminal == container.OCI.Process.Terminal
            input.OCI.Root.Readonly == container.OCI.Root.Readonly
        }

        StartContainerRequest if pinned(input.container_id)
        WaitProcessRequest if pinned(input.container_id)
        StatsContainerRequest if pinned(input.container_id)
        RemoveContainerRequest if pinned(input.container_id)
        SignalProcessRequest if pinned(input.container_id)
        ReadStreamRequest if pinned(input.container_id)
        WriteStreamRequest if pinned(input.container_id).input
        TtyWinResizeRequest if pinned(input.container_id).OCI.Process.Terminal

        """;

    /// <summary>The policy as a Rego module that ends with its data.</summary>
    public static string Write(IReadOnlyList<PinnedContainer> containers)
    {
        var buffer = new ArrayBufferWriter<byte>();

        // The default encoder writes ' as an escape, so that the module cannot close the TOML string that carries it.
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteStartArray("containers");
            foreach (var container in containers)
                WriteContainer(json, container);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return $"{Rules}\npolicy_data := {Encoding.UTF8.GetString(buffer.WrittenSpan)}\n".ReplaceLineEndings("\n");
    }

    private static void WriteContainer(Utf8JsonWriter json, PinnedContainer container)
    {
        json.WriteStartObject();
        json.WriteString("container_id", container.ContainerId);
        json.WriteStartObject("image");
        json.WriteString("reference", container.Reference);
        json.WriteString("manifest_digest", container.ManifestDigest);
        json.WriteBoolean("encrypted", container.Encrypted);
        json.WriteEndObject();
        json.WriteBoolean("input", container.Input);
        json.WriteStartObject("OCI");
        json.WriteStartObject("Process");
        WriteStrings(json, "Args", container.Process.Args);
        WriteStrings(json, "Env", container.Process.Env);
        json.WriteString("Cwd", container.Process.Cwd);
        json.WriteStartObject("User");
        json.WriteString("Username", container.Process.User);
        json.WriteEndObject();
        json.WriteBoolean("Terminal", container.Terminal);
        json.WriteEndObject();
        json.WriteStartObject("Root");
        json.WriteBoolean("Readonly", container.ReadOnlyRoot);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
