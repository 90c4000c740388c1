using System.Text.Json;
using Kist.Formats;

namespace Kist.Pods.Protocol;

/// <summary>
/// What an image's configuration says of the process to run (config.Entrypoint, .Cmd, .Env, .WorkingDir, .User of the OCI
/// image configuration).
/// </summary>
public sealed record ImageProcessDefaults(
    IReadOnlyList<string> Entrypoint,
    IReadOnlyList<string> Cmd,
    IReadOnlyList<string> Env,
    string WorkingDirectory,
    string User);

/// <summary>What the user asks for instead, as with <c>docker run</c>.</summary>
/// <param name="Entrypoint">Replaces the image's entry point and drops its arguments; null to keep both.</param>
/// <param name="Arguments">Replaces the image's Cmd; empty to keep it.</param>
/// <param name="Environment">"NAME=value" entries; each replaces the image's entry of that name, or is added.</param>
/// <param name="WorkingDirectory">Empty to keep the image's.</param>
/// <param name="User">"user", "uid", "user:group" or "uid:gid"; empty to keep the image's.</param>
public sealed record ProcessOverrides(
    IReadOnlyList<string>? Entrypoint,
    IReadOnlyList<string> Arguments,
    IReadOnlyList<string> Environment,
    string WorkingDirectory,
    string User)
{
    /// <summary>
    /// Writes them as policies see and pin them. A policy that pins an image by digest and these pins the process, and need
    /// not know the image's configuration, which is secret in a sealed image.
    /// </summary>
    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        if (Entrypoint is null)
            json.WriteNull("entrypoint");
        else
            WriteStrings(json, "entrypoint", Entrypoint);
        WriteStrings(json, "args", Arguments);
        WriteStrings(json, "env", Environment);
        json.WriteString("cwd", WorkingDirectory);
        json.WriteString("user", User);
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

/// <summary>
/// The process that runs once image and overrides are merged. The owner computes it for the policy and the agent for the
/// container, with this one piece of code, so that equality is a check of what the host asked for and of nothing else.
/// </summary>
/// <param name="Args">The argument vector; never empty.</param>
/// <param name="Env">"NAME=value" entries, each name once; PATH is always there.</param>
/// <param name="Cwd">Absolute path within the container.</param>
/// <param name="User">As in the image or the request; the agent looks names up in the image's own /etc/passwd.</param>
public sealed record ContainerProcess(IReadOnlyList<string> Args, IReadOnlyList<string> Env, string Cwd, string User)
{
    /// <summary>The search path of an image that sets none; the same as docker's.</summary>
    public const string DefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>Merges an image's defaults with what the user asks for.</summary>
    /// <exception cref="OperationFailedException">Nothing is left to run, or a variable has no name.</exception>
    public static ContainerProcess Merge(ImageProcessDefaults image, ProcessOverrides overrides)
    {
        var entrypoint = overrides.Entrypoint ?? image.Entrypoint;
        var arguments = overrides.Arguments.Count > 0 ? overrides.Arguments : overrides.Entrypoint is null ? image.Cmd : [];
        string[] args = [.. entrypoint, .. arguments];
        if (args.Length == 0)
        {
            throw new OperationFailedException(
                "merge image and arguments", "command", "the image names no program and none was given", "give one: kist run IMAGE PROGRAM");
        }

        var cwd = Choose(overrides.WorkingDirectory, image.WorkingDirectory, "/");
        return new ContainerProcess(
            args, MergeEnvironment(image.Env, overrides.Environment), cwd.StartsWith('/') ? cwd : "/" + cwd,
            Choose(overrides.User, image.User, "0"));
    }

    /// <summary>True if all but the program is the same: environment, directory and user.</summary>
    public bool HasContextOf(ContainerProcess other) => Env.SequenceEqual(other.Env) && Cwd == other.Cwd && User == other.User;

    private static string Choose(string first, string second, string last) =>
        first.Length > 0 ? first : second.Length > 0 ? second : last;

    private static List<string> MergeEnvironment(IReadOnlyList<string> image, IReadOnlyList<string> overrides)
    {
        var merged = new List<string> { DefaultPath };
        foreach (var entry in (IEnumerable<string>)[.. image, .. overrides])
        {
            var length = entry.IndexOf('=', StringComparison.Ordinal);
            if (length <= 0)
            {
                throw new OperationFailedException(
                    "merge environment", length < 0 ? entry : "(a nameless variable)", "a variable is NAME=value");
            }

            var prefix = entry.AsSpan(0, length + 1);
            var existing = IndexOf(merged, prefix);
            if (existing < 0)
                merged.Add(entry);
            else
                merged[existing] = entry;
        }

        return merged;
    }

    private static int IndexOf(List<string> entries, ReadOnlySpan<char> prefix)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            if (entries[i].AsSpan().StartsWith(prefix, StringComparison.Ordinal))
                return i;
        }

        return -1;
    }
}
