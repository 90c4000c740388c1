namespace Kist.Rego;

/// <summary>How modules are compiled.</summary>
public sealed record RegoCompileOptions
{
    /// <summary>The syntax of the modules and queries.</summary>
    public RegoVersion Version { get; init; } = RegoVersion.V1;

    /// <summary>Functions beside the built-in ones; null for none.</summary>
    public RegoExtensions? Extensions { get; init; }
}
