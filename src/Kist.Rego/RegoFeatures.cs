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

    /// <summary>Tokens signed with EdDSA; without it their algorithm is one that is not supported. Left out as <see cref="Yaml"/> is, by Kist.Rego.EdDsa.</summary>
    [FeatureSwitchDefinition("Kist.Rego.EdDsa")]
    public static bool EdDsa => !AppContext.TryGetSwitch("Kist.Rego.EdDsa", out var on) || on;

    /// <summary>The graphql.* functions. Left out as <see cref="Yaml"/> is, by Kist.Rego.GraphQl.</summary>
    [FeatureSwitchDefinition("Kist.Rego.GraphQl")]
    public static bool GraphQl => !AppContext.TryGetSwitch("Kist.Rego.GraphQl", out var on) || on;
}
