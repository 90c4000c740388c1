using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Agent.GuestServices;

namespace Kist.Agent.Containers;

/// <summary>
/// Writes config.json (OCI runtime specification 1.0.2) as docker would for an unprivileged container. The network is the
/// pod's: containers of one pod share it, and it reaches nothing but the pod's doors.
/// </summary>
static class RuntimeSpecWriter
{
    private const uint CpuPeriodMicroseconds = 100_000;

    private static readonly JsonWriterOptions Options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string[] MaskedPaths =
    [
        "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
        "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
    ];

    private static readonly string[] ReadOnlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    public static byte[] Write(ContainerPlan plan) => Document(json =>
    {
        json.WriteString("ociVersion", "1.0.2");
        json.WriteStartObject("process");
        WriteProcess(json, new ExecPlan(plan.Process, plan.User, plan.Terminal, plan.Capabilities, plan.Hostname) { Unsealed = plan.Unsealed, TerminalSize = plan.TerminalSize });
        json.WriteEndObject();
        json.WriteStartObject("root");
        json.WriteString("path", plan.RootFileSystem);
        json.WriteBoolean("readonly", plan.ReadOnlyRoot);
        json.WriteEndObject();
        json.WriteString("hostname", plan.Hostname);
        WriteMounts(json, plan);
        WriteLinux(json, plan);
    });

    /// <summary>The "process" object alone, as <c>crun exec</c> reads it.</summary>
    public static byte[] WriteProcess(ExecPlan process) => Document(json => WriteProcess(json, process));

    private static byte[] Document(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteProcess(Utf8JsonWriter json, ExecPlan plan)
    {
        json.WriteBoolean("terminal", plan.Terminal);
        if (plan is { Terminal: true, TerminalSize: { } size })
        {
            json.WriteStartObject("consoleSize");
            json.WriteNumber("height", size.Rows);
            json.WriteNumber("width", size.Columns);
            json.WriteEndObject();
        }

        json.WriteStartObject("user");
        json.WriteNumber("uid", plan.User.Uid);
        json.WriteNumber("gid", plan.User.Gid);
        json.WriteStartArray("additionalGids");
        foreach (var gid in plan.User.AdditionalGids)
            json.WriteNumberValue(gid);
        json.WriteEndArray();
        json.WriteEndObject();
        WriteStrings(json, "args", plan.Process.Args);
        WriteStrings(json, "env", Environment(plan));
        json.WriteString("cwd", plan.Process.Cwd);
        json.WriteStartObject("capabilities");
        // As docker: only root starts with them; a set-user-id program may gain the bounding set.
        WriteStrings(json, "bounding", plan.Capabilities);
        var held = plan.User.Uid == 0 ? plan.Capabilities : [];
        WriteStrings(json, "effective", held);
        WriteStrings(json, "permitted", held);
        json.WriteEndObject();
        json.WriteBoolean("noNewPrivileges", true);
    }

    /// <summary>What docker adds where neither image nor user say it.</summary>
    private static IEnumerable<string> Environment(ExecPlan plan)
    {
        IEnumerable<string> environment = plan.Process.Env.Select(e => plan.Unsealed.GetValueOrDefault(e, e));
        if (!plan.Process.Env.Any(e => e.StartsWith("HOSTNAME=", StringComparison.Ordinal)))
            environment = environment.Append($"HOSTNAME={plan.Hostname}");
        if (plan.Terminal && !plan.Process.Env.Any(e => e.StartsWith("TERM=", StringComparison.Ordinal)))
            environment = environment.Append("TERM=xterm");
        if (!plan.Process.Env.Any(e => e.StartsWith("HOME=", StringComparison.Ordinal)))
            environment = environment.Append($"HOME={plan.User.Home}");
        return environment;
    }

    private static void WriteMounts(Utf8JsonWriter json, ContainerPlan plan)
    {
        json.WriteStartArray("mounts");
        Mount(json, "/proc", "proc", "proc", "nosuid", "noexec", "nodev");
        Mount(json, "/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k");
        Mount(json, "/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5");
        if (plan.SharedMemory is { } shared)
            Mount(json, "/dev/shm", "bind", shared, "rbind", "rprivate", "nosuid", "noexec", "nodev");
        else
            Mount(json, "/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k");
        Mount(json, "/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev");
        Mount(json, "/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro");
        Mount(json, "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro");
        if (plan.ServicesFolder is { } services)
            Mount(json, GuestServiceHost.MountPath, "bind", services, "rbind", "rprivate", "nosuid", "nodev", "noexec", "ro");
        foreach (var volume in plan.Volumes)
        {
            Mount(
                json, volume.MountPath, "bind", volume.Source,
                ["rbind", "rprivate", "nosuid", "nodev", volume.ReadOnly ? "ro" : "rw", .. volume.MayExecute ? Array.Empty<string>() : ["noexec"]]);
        }

        foreach (var name in (string[])["hosts", "hostname", "resolv.conf"])
            Mount(json, $"/etc/{name}", "bind", $"{plan.EtcFolder}/{name}", "rbind", "rprivate", "nosuid", "nodev", "noexec");
        json.WriteEndArray();
    }

    private static void WriteLinux(Utf8JsonWriter json, ContainerPlan plan)
    {
        json.WriteStartObject("linux");
        json.WriteStartArray("namespaces");
        // A pod's containers share the guest's own System V objects; nothing else in the guest has any.
        foreach (var name in (string[])["pid", .. plan.SharedMemory is null ? ["ipc"] : Array.Empty<string>(), "uts", "mount", "cgroup"])
        {
            json.WriteStartObject();
            json.WriteString("type", name);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("cgroupsPath", $"/kist/{plan.Id}");
        WriteResources(json, plan);
        WriteStrings(json, "maskedPaths", MaskedPaths);
        WriteStrings(json, "readonlyPaths", ReadOnlyPaths);
        DefaultSeccomp.Write(json);
        json.WriteEndObject();
    }

    private static void WriteResources(Utf8JsonWriter json, ContainerPlan plan)
    {
        json.WriteStartObject("resources");
        json.WriteStartArray("devices");
        Device(json, allow: false, null, null, null, "rwm");
        // Making nodes is harmless; using those that every program expects is allowed.
        Device(json, allow: true, "c", null, null, "m");
        Device(json, allow: true, "b", null, null, "m");
        foreach (var (major, minor) in ((int, int)[])[(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2)])
            Device(json, allow: true, "c", major, minor, "rwm");
        Device(json, allow: true, "c", 136, null, "rwm");
        json.WriteEndArray();
        if (plan.MemoryBytes > 0)
        {
            json.WriteStartObject("memory");
            json.WriteNumber("limit", plan.MemoryBytes);
            json.WriteNumber("swap", plan.MemoryBytes);
            json.WriteEndObject();
        }

        if (plan.CpuMillis > 0 || plan.CpuShares > 0)
        {
            json.WriteStartObject("cpu");
            if (plan.CpuMillis > 0)
            {
                json.WriteNumber("quota", (ulong)plan.CpuMillis * CpuPeriodMicroseconds / 1000);
                json.WriteNumber("period", CpuPeriodMicroseconds);
            }

            if (plan.CpuShares > 0)
                json.WriteNumber("shares", plan.CpuShares);
            json.WriteEndObject();
        }

        json.WriteStartObject("pids");
        json.WriteNumber("limit", plan.Pids);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Mount(Utf8JsonWriter json, string destination, string type, string source, params string[] options)
    {
        json.WriteStartObject();
        json.WriteString("destination", destination);
        json.WriteString("type", type);
        json.WriteString("source", source);
        WriteStrings(json, "options", options);
        json.WriteEndObject();
    }

    private static void Device(Utf8JsonWriter json, bool allow, string? type, int? major, int? minor, string access)
    {
        json.WriteStartObject();
        json.WriteBoolean("allow", allow);
        if (type is not null)
            json.WriteString("type", type);
        if (major is { } ma)
            json.WriteNumber("major", ma);
        if (minor is { } mi)
            json.WriteNumber("minor", mi);
        json.WriteString("access", access);
        json.WriteEndObject();
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
