using System.Text;

namespace Kist.KeyBroker.Policies;

/// <summary>The policies in force until an administrator sets others: nothing is released to what is not affirming.</summary>
static class DefaultPolicies
{
    /// <summary>Classes of TEEs, each with its own attestation policy "default_CLASS".</summary>
    public static readonly string[] Classes = ["cpu", "gpu", "switch", "ppcie", "dcu", "nvidia-dpu"];

    public static string Resource { get; } = Read("resource.rego");

    /// <summary>The attestation policy of a class, or null for a name that has no default.</summary>
    public static string? Attestation(string policyId)
    {
        if (!policyId.StartsWith("default_", StringComparison.Ordinal))
            return null;
        var name = policyId["default_".Length..];
        return name == "cpu" ? Cpu : Classes.Contains(name) ? Device : null;
    }

    private static string Cpu { get; } = Read("default_cpu.rego");

    private static string Device { get; } = Read("default_device.rego");

    private static string Read(string name)
    {
        using var stream = typeof(DefaultPolicies).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} is not embedded");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
