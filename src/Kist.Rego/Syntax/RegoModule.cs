namespace Kist.Rego;

/// <summary>One file of policy.</summary>
/// <param name="Name">The name that errors and traces use, usually the file's.</param>
/// <param name="Text">The source text.</param>
public sealed record RegoModule(string Name, string Text);
