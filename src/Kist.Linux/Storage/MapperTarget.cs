namespace Kist.Linux.Storage;

/// <summary>One target of a device-mapper table.</summary>
/// <param name="Type">"verity", "crypt", "linear", "integrity" …</param>
/// <param name="Sectors">Its length in units of 512 bytes.</param>
/// <param name="Parameters">Its parameters as text. They may hold a key: the caller zeroes its own copy.</param>
public readonly record struct MapperTarget(string Type, ulong Sectors, ReadOnlyMemory<byte> Parameters);
