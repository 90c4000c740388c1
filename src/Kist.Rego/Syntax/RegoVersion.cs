namespace Kist.Rego;

/// <summary>The syntax that modules are written in.</summary>
public enum RegoVersion
{
    /// <summary>Rego v1: <c>if</c> and <c>contains</c> are required.</summary>
    V1,

    /// <summary>Rego v0: keywords by <c>import future.keywords</c>; a module may still say <c>import rego.v1</c>.</summary>
    V0,

    /// <summary>
    /// As regorus, and so Trustee, takes policies: v1 if a module parses as v1, v0 otherwise.
    /// </summary>
    Either,
}
