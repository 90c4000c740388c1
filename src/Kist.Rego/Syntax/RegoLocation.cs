namespace Kist.Rego;

/// <summary>A place in a policy's source text.</summary>
/// <param name="File">The module's name.</param>
/// <param name="Row">Line, from 1; 0 where there is no place.</param>
/// <param name="Column">Column in UTF-8 bytes, from 1.</param>
public readonly record struct RegoLocation(string File, int Row, int Column)
{
    /// <summary><c>file:row:column</c>.</summary>
    public override string ToString() => $"{File}:{Row}:{Column}";
}
