namespace Kist.Measurement.Nitro;

/// <summary>CRC-32 as in IEEE 802.3 (polynomial 0xedb88320, reflected), over parts.</summary>
struct Crc32
{
    private static readonly uint[] Table = BuildTable();

    private uint _state;

    public void Append(ReadOnlySpan<byte> data)
    {
        var state = ~_state;
        foreach (var value in data)
            state = Table[(byte)(state ^ value)] ^ (state >> 8);
        _state = ~state;
    }

    public readonly uint Value => _state;

    private static uint[] BuildTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? 0xedb88320 ^ (value >> 1) : value >> 1;
            table[i] = value;
        }

        return table;
    }
}
