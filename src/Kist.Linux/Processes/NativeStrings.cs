using System.Runtime.InteropServices;

namespace Kist.Linux.Processes;

/// <summary>A null-terminated array of null-terminated UTF-8 strings.</summary>
sealed unsafe class NativeStrings : IDisposable
{
    private readonly byte*[] _strings;
    private readonly byte** _array;

    public NativeStrings(IEnumerable<string> strings)
    {
        var texts = strings.ToArray();
        _strings = new byte*[texts.Length];
        _array = (byte**)NativeMemory.AllocZeroed((nuint)(texts.Length + 1), (nuint)sizeof(byte*));
        for (var i = 0; i < texts.Length; i++)
        {
            if (texts[i].Contains('\0', StringComparison.Ordinal))
                throw new ArgumentException("an argument or variable contains a zero byte", nameof(strings));
            _array[i] = _strings[i] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[i]);
        }
    }

    public byte** Pointer => _array;

    public void Dispose()
    {
        foreach (var text in _strings)
            Marshal.FreeCoTaskMem((nint)text);
        NativeMemory.Free(_array);
    }
}
