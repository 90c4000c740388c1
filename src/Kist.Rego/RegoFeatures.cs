using System.Diagnostics.CodeAnalysis;

namespace Kist.Rego;

/// <summary>Parts that a small program can leave out: the trimmer removes what is switched off.</summary>
static class RegoFeatures
{
    /// <summary>
    /// The yaml.* functions. A project leaves them out by
    /// <c>&lt;RuntimeHostConfigurationOption Include="Kist.Rego.Yaml" Value="false" Trim="true" /&gt;</c>.
    /// </summary>
    [FeatureSwitchDefinition("Kist.Rego.Yaml")]
    public static bool Yaml => !AppContext.TryGetSwitch("Kist.Rego.Yaml", out var on) || on;
}
