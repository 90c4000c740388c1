using System.Text.Json;

namespace Kist.Pods.Protocol;

/// <summary>What the agent policy's rule ExecProcessRequest is asked about: the process that would run in a running container.</summary>
public sealed record ExecProcessInput
{
    /// <summary>The host's identifier of the process.</summary>
    public required string ExecId { get; init; }

    /// <summary>The process, merged with what the container's first process has.</summary>
    public required ContainerProcess Process { get; init; }

    /// <summary>True if environment, directory and user are those of the container's first process, whatever they are.</summary>
    public bool Inherits { get; init; }

    /// <summary>True if it gets a terminal.</summary>
    public bool Terminal { get; init; }

    /// <summary>What root in it may do.</summary>
    public required IReadOnlyList<string> Capabilities { get; init; }

    /// <summary>Writes the members of the input object that follow the container's.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteString("exec_id", ExecId);
        json.WriteBoolean("inherits", Inherits);
        json.WriteStartObject("process");
        PolicyJson.WriteStrings(json, "Args", Process.Args);
        PolicyJson.WriteStrings(json, "Env", Process.Env);
        json.WriteString("Cwd", Process.Cwd);
        json.WriteStartObject("User");
        json.WriteString("Username", Process.User);
        json.WriteEndObject();
        json.WriteBoolean(nameof(Terminal), Terminal);
        PolicyJson.WriteStrings(json, nameof(Capabilities), Capabilities);
        json.WriteBoolean("NoNewPrivileges", true);
        json.WriteEndObject();
    }
}
